/** Below this a generated face repeats the original's pixels rather than its light (design rule, see docs/evaluation.md). */
export const SUSPECTED_COPY = 0.006;

/** @returns undefined where the Si-MSE could not be measured */
export function suspectedCopy(siMse: number | undefined): boolean | undefined {
  return siMse === undefined || !Number.isFinite(siMse) ? undefined : siMse < SUSPECTED_COPY;
}

/**
 * Scale-invariant mean squared error (paper, formula 3; Barron & Malik 2015): with `α = Σ I·Î / Σ Î²`, one α for the
 * three channels so that the colour of the light still counts, the mean over mask pixels and channels of `(I − α·Î)²`.
 * @param original interleaved channels in [0, 1] @param anonymized same shape @param mask one byte a pixel, 0 = outside
 * @returns NaN when the mask is empty
 */
export function siMse(original: Float32Array, anonymized: Float32Array, mask: Uint8Array, channels = 3): number {
  let cross = 0;
  let power = 0;
  let own = 0;
  let count = 0;
  for (let p = 0; p < mask.length; p++) {
    if (!mask[p]) continue;
    for (let c = 0; c < channels; c++) {
      const i = original[p * channels + c]!;
      const g = anonymized[p * channels + c]!;
      cross += i * g;
      power += g * g;
      own += i * i;
      count++;
    }
  }
  if (count === 0) return Number.NaN;
  // Σ(I − αÎ)² expanded at the optimal α; a black picture explains nothing.
  return Math.max(0, power > 0 ? own - (cross * cross) / power : own) / count;
}

/**
 * How one-sided the light is: |mean luma of the left half − of the right half| of the masked face, over their sum.
 * The hard-light quarter of a set are the pictures with the largest values.
 */
export function lightAsymmetry(rgb: Float32Array, mask: Uint8Array, width: number): number {
  const sum = [0, 0];
  const count = [0, 0];
  for (let p = 0; p < mask.length; p++) {
    if (!mask[p]) continue;
    const side = p % width < width / 2 ? 0 : 1;
    sum[side]! += 0.299 * rgb[p * 3]! + 0.587 * rgb[p * 3 + 1]! + 0.114 * rgb[p * 3 + 2]!;
    count[side]!++;
  }
  const left = sum[0]! / Math.max(1, count[0]!);
  const right = sum[1]! / Math.max(1, count[1]!);
  return left + right > 0 ? Math.abs(left - right) / (left + right) : 0;
}
