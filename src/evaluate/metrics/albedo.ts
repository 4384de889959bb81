/**
 * Albedo by the paper's own equations (1–2), `A = I / S`, with `S` the masked, normalised Gaussian of luma instead of
 * SfSNet (its weights aren't to be had): a decomposition of our own, so the colour differences on it are reported beside
 * those on the pictures, never instead of them. Scaled so that the mean of S over the mask drops out.
 * @param rgb interleaved, [0, 1], size² pixels @param sigma pixels @returns interleaved, [0, 1]
 */
export function albedo(rgb: Float32Array, mask: Uint8Array, size: number, sigma: number): Float32Array {
  const shading = maskedBlur(luma(rgb), mask, size, sigma);
  let sum = 0;
  let n = 0;
  for (let p = 0; p < mask.length; p++) {
    if (!mask[p]) continue;
    sum += shading[p]!;
    n++;
  }
  const level = n > 0 ? sum / n : 0;
  return rgb.map((v, i) => {
    const s = shading[(i / 3) | 0]!;
    return s > 1e-3 ? Math.min(1, (v / s) * level) : 0;
  });
}

export function luma(rgb: Float32Array): Float32Array {
  return Float32Array.from(
    { length: rgb.length / 3 },
    (_, p) => 0.299 * rgb[3 * p]! + 0.587 * rgb[3 * p + 1]! + 0.114 * rgb[3 * p + 2]!,
  );
}

/** Gaussian of the values inside the mask only, divided by the Gaussian of the mask; 0 outside. Separable. */
export function maskedBlur(values: Float32Array, mask: Uint8Array, size: number, sigma: number): Float32Array {
  const radius = Math.ceil(3 * sigma);
  const kernel = Float32Array.from({ length: 2 * radius + 1 }, (_, i) => Math.exp(-0.5 * ((i - radius) / sigma) ** 2));
  const inside = values.map((v, p) => (mask[p] ? v : 0));
  const weights = Float32Array.from(mask, (m) => (m ? 1 : 0));
  const [value, weight] = [inside, weights].map((field) => {
    const across = blurred(field, kernel, size, (line, at) => line * size + at);
    return blurred(across, kernel, size, (line, at) => at * size + line);
  }) as [Float32Array, Float32Array];
  return value.map((v, p) => (mask[p] && weight[p]! > 0 ? v / weight[p]! : 0));
}

/** Along lines, only where there is something. @param place of a pixel on a line */
function blurred(
  field: Float32Array,
  kernel: Float32Array,
  size: number,
  place: (line: number, at: number) => number,
): Float32Array {
  const radius = (kernel.length - 1) / 2;
  const out = new Float32Array(field.length);
  const own = new Float32Array(size);
  for (let line = 0; line < size; line++) {
    let [first, last] = [size, -1];
    for (let at = 0; at < size; at++) {
      own[at] = field[place(line, at)]!;
      if (own[at] === 0) continue;
      first = Math.min(first, at);
      last = at;
    }
    for (let at = Math.max(0, first - radius); at <= Math.min(size - 1, last + radius); at++) {
      const from = Math.max(first, at - radius);
      const to = Math.min(last, at + radius);
      let sum = 0;
      for (let i = from; i <= to; i++) sum += kernel[i - at + radius]! * own[i]!;
      out[place(line, at)] = sum;
    }
  }
  return out;
}
