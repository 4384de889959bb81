/**
 * ffmpeg filters that bring pictures of any size into one, with bars where the shape differs: left alone it squeezes them, and
 * no detector finds a squeezed face. A picture that has the size passes unchanged.
 * @param range options of `scale` that keep the range
 * @param format between scaling and the bars, which are drawn in it
 */
export function fitFilters(
  { width, height }: { readonly width: number; readonly height: number },
  format: string,
  range = '',
): string[] {
  // 4:2:0 is padded to even sizes only.
  const [w, h] = [width + (width % 2), height + (height % 2)];
  return [
    `scale=${width}:${height}:force_original_aspect_ratio=decrease${range}`,
    `format=${format}`,
    `pad=${w}:${h}:(ow-iw)/2:(oh-ih)/2`,
    ...(w === width && h === height ? [] : [`crop=${width}:${height}:0:0:exact=1`]),
  ];
}
