import { bootstrapStatistic, type Estimate, mean, seededRandom } from './statistics.ts';

type Vectors = readonly Float32Array[];

/**
 * Kernel Inception Distance (Bińkowski et al. 2018): unbiased MMD² with the polynomial kernel `(x·y/d + 1)³`, averaged
 * over random subsets. Unlike the Fréchet distance it is unbiased for sets smaller than the feature's dimension.
 * Only pairs of different people count, within a set and across: two pictures of one person, or somebody's original and
 * his output, are not independent draws (Gretton et al. 2012, lemma 6).
 * @param real feature vectors of length d @param fake likewise; `real[i]` and `fake[i]` are of one face
 * @param people whose face that is
 * @returns the mean over the subsets; the interval is a bootstrap over people of all pairs, in which the copies of a person
 * who is drawn twice are no pair either. NaN with fewer than two people
 */
export function kernelDistance(
  real: Vectors,
  fake: Vectors,
  people: readonly string[],
  { subsets = 100, size = 100, seed = 1, rounds = 1000 } = {},
): Estimate {
  const m = Math.min(size, real.length);
  const random = seededRandom(seed);
  const all = people.map((_, i) => i);
  // A small subset may hold one person only, who makes no pair.
  const values = Array.from({ length: m < 2 ? 0 : subsets }, () =>
    mmd(real, fake, people, { x: pick(all, m, random), y: pick(all, m, random) }),
  ).filter(Number.isFinite);
  if (values.length === 0) return { value: Number.NaN, low: Number.NaN, high: Number.NaN };
  return { ...overPeople(real, fake, people, rounds), value: mean(values) };
}

function mmd(real: Vectors, fake: Vectors, people: readonly string[], { x, y }: { x: number[]; y: number[] }): number {
  const meanOver = (a: Vectors, rows: number[], b: Vectors, columns: number[]) => {
    let sum = 0;
    let n = 0;
    for (const i of rows) {
      for (const j of columns) {
        if (people[i] === people[j]) continue;
        sum += kernel(a[i]!, b[j]!);
        n++;
      }
    }
    return sum / n;
  };
  return meanOver(real, x, real, x) + meanOver(fake, y, fake, y) - 2 * meanOver(real, x, fake, y);
}

/** Sums over the pairs of two people once, so that a round of the bootstrap costs nothing but their weights. */
function overPeople(real: Vectors, fake: Vectors, people: readonly string[], rounds: number): Estimate {
  const names = [...new Set(people)];
  const of = people.map((p) => names.indexOf(p));
  const faces = new Float64Array(names.length);
  for (const p of of) faces[p]!++;
  const sums = names.map((_, p) => new Float64Array(p));
  for (let i = 0; i < people.length; i++) {
    for (let j = 0; j < i; j++) {
      const [p, q] = [Math.max(of[i]!, of[j]!), Math.min(of[i]!, of[j]!)];
      if (p === q) continue;
      const within = kernel(real[i]!, real[j]!) + kernel(fake[i]!, fake[j]!);
      sums[p]![q]! += within - kernel(real[i]!, fake[j]!) - kernel(real[j]!, fake[i]!);
    }
  }
  return bootstrapStatistic(
    names.map((_, p) => p),
    (drawn) => {
      const weight = new Float64Array(names.length);
      for (const p of drawn) weight[p]!++;
      let [sum, pairs] = [0, 0];
      for (let p = 0; p < names.length; p++) {
        if (weight[p] === 0) continue;
        for (let q = 0; q < p; q++) {
          const w = weight[p]! * weight[q]!;
          sum += w * sums[p]![q]!;
          pairs += w * faces[p]! * faces[q]!;
        }
      }
      return sum / pairs;
    },
    rounds,
  );
}

function kernel(a: Float32Array, b: Float32Array): number {
  let dot = 0;
  for (let i = 0; i < a.length; i++) dot += a[i]! * b[i]!;
  return (dot / a.length + 1) ** 3;
}

function pick(from: readonly number[], count: number, random: () => number): number[] {
  const pool = [...from];
  for (let i = 0; i < count; i++) {
    const j = i + Math.floor(random() * (pool.length - i));
    [pool[i], pool[j]] = [pool[j]!, pool[i]!];
  }
  return pool.slice(0, count);
}
