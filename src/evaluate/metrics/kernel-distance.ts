import { type Estimate, mean, quantile, seededRandom } from './statistics.ts';

/**
 * Kernel Inception Distance (Bińkowski et al. 2018): unbiased MMD² with the polynomial kernel `(x·y/d + 1)³`, averaged
 * over random subsets. Unlike the Fréchet distance it is unbiased for sets smaller than the feature's dimension.
 * @param real feature vectors of length d @param fake likewise
 * @returns mean over the subsets with the 2.5 and 97.5 percentiles of single subsets
 */
export function kernelDistance(
  real: readonly Float32Array[],
  fake: readonly Float32Array[],
  { subsets = 100, size = 100, seed = 1 } = {},
): Estimate {
  const m = Math.min(size, real.length, fake.length);
  if (m < 2) return { value: Number.NaN, low: Number.NaN, high: Number.NaN };
  const random = seededRandom(seed);
  const values = Array.from({ length: subsets }, () => mmd(pick(real, m, random), pick(fake, m, random)));
  return { value: mean(values), low: quantile(values, 0.025), high: quantile(values, 0.975) };
}

function mmd(x: Float32Array[], y: Float32Array[]): number {
  const m = x.length;
  let within = 0;
  let across = 0;
  for (let i = 0; i < m; i++) {
    for (let j = 0; j < m; j++) {
      across += kernel(x[i]!, y[j]!);
      if (i !== j) within += kernel(x[i]!, x[j]!) + kernel(y[i]!, y[j]!);
    }
  }
  return within / (m * (m - 1)) - (2 * across) / (m * m);
}

function kernel(a: Float32Array, b: Float32Array): number {
  let dot = 0;
  for (let i = 0; i < a.length; i++) dot += a[i]! * b[i]!;
  return (dot / a.length + 1) ** 3;
}

function pick(from: readonly Float32Array[], count: number, random: () => number): Float32Array[] {
  const pool = [...from];
  for (let i = 0; i < count; i++) {
    const j = i + Math.floor(random() * (pool.length - i));
    [pool[i], pool[j]] = [pool[j]!, pool[i]!];
  }
  return pool.slice(0, count);
}
