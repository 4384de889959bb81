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
  let value = values.map((v, p) => (mask[p] ? v : 0));
  let weight = Float32Array.from(mask, (m) => (m ? 1 : 0));
  for (const [stepX, stepY] of [
    [1, 0],
    [0, 1],
  ] as const) {
    const nextValue = new Float32Array(value.length);
    const nextWeight = new Float32Array(value.length);
    for (let y = 0; y < size; y++) {
      for (let x = 0; x < size; x++) {
        let v = 0;
        let w = 0;
        for (let k = -radius; k <= radius; k++) {
          const [i, j] = [x + k * stepX, y + k * stepY];
          if (i < 0 || j < 0 || i >= size || j >= size) continue;
          v += kernel[k + radius]! * value[j * size + i]!;
          w += kernel[k + radius]! * weight[j * size + i]!;
        }
        nextValue[y * size + x] = v;
        nextWeight[y * size + x] = w;
      }
    }
    value = nextValue;
    weight = nextWeight;
  }
  return value.map((v, p) => (mask[p] && weight[p]! > 0 ? v / weight[p]! : 0));
}
