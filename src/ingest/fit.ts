import type { FileProbe } from './file/probe.ts';

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

/** Pixels so far from square, that of 352×576 and 704×288, that the detector misses every other face. */
export const FAR_FROM_SQUARE = 1.5;

export interface Stretch {
  readonly x: number;
  readonly y: number;
}

/** What a file looks like with such pixels made square, and by how much its pictures are stretched for that. */
export function squared(probe: FileProbe): { readonly probe: FileProbe; readonly stretch?: Stretch } {
  const { pixelAspect = '1:1', ...rest } = probe;
  const [a, b] = pixelAspect.split(':').map(Number) as [number, number];
  if (a < FAR_FROM_SQUARE * b && b < FAR_FROM_SQUARE * a) return { probe };
  const stretch = { x: Math.max(1, a / b), y: Math.max(1, b / a) };
  const even = (size: number) => 2 * Math.floor(size / 2 + 1e-6);
  return { probe: { ...rest, width: even(probe.width * stretch.x), height: even(probe.height * stretch.y) }, stretch };
}

/** An ffmpeg filter that makes such pixels square, where the stream tells of them only as it is decoded. */
export const SQUARE_PIXELS = [
  `scale=w=if(gte(sar\\,${FAR_FROM_SQUARE})\\,trunc(iw*sar/2)*2\\,iw)`,
  `h=if(gt(sar\\,0)*lte(sar*${FAR_FROM_SQUARE}\\,1)\\,trunc(ih/sar/2)*2\\,ih)`,
].join(':');
