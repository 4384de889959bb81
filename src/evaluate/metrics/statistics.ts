/** An estimate and its 95 % interval; `low` and `high` are NaN where fewer than two people contribute. */
export interface Estimate {
  readonly value: number;
  readonly low: number;
  readonly high: number;
}

/** Small seeded generator (mulberry32): intervals and subsets repeat from run to run. Uniform in [0, 1). */
export function seededRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

export function mean(values: ArrayLike<number>): number {
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += values[i]!;
  return sum / values.length;
}

export function standardDeviation(values: ArrayLike<number>): number {
  const m = mean(values);
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += (values[i]! - m) ** 2;
  return values.length > 1 ? Math.sqrt(sum / (values.length - 1)) : 0;
}

/** Linear-interpolated quantile, q in [0, 1]. */
export function quantile(values: readonly number[], q: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  const at = q * (sorted.length - 1);
  const i = Math.floor(at);
  return sorted[i]! + (sorted[Math.min(i + 1, sorted.length - 1)]! - sorted[i]!) * (at - i);
}

/**
 * Mean over all values with a percentile bootstrap interval (Efron & Tibshirani 1993), resampling *people*: two pictures
 * of one person aren't independent. Non-finite values are left out (callers count and list them).
 * @param values one a picture @param people the person in that picture
 */
export function bootstrapMean(values: readonly number[], people: readonly string[], rounds = 1000): Estimate {
  const groups = new Map<string, { sum: number; n: number }>();
  values.forEach((v, i) => {
    if (!Number.isFinite(v)) return;
    const group = groups.get(people[i]!) ?? { sum: 0, n: 0 };
    group.sum += v;
    group.n++;
    groups.set(people[i]!, group);
  });
  const list = [...groups.values()];
  const total = list.reduce((t, g) => ({ sum: t.sum + g.sum, n: t.n + g.n }), { sum: 0, n: 0 });
  const value = total.sum / total.n;
  if (list.length < 2) return { value, low: Number.NaN, high: Number.NaN };
  const random = seededRandom(1);
  const means: number[] = [];
  for (let r = 0; r < rounds; r++) {
    let sum = 0;
    let n = 0;
    for (let k = 0; k < list.length; k++) {
      const group = list[Math.floor(random() * list.length)]!;
      sum += group.sum;
      n += group.n;
    }
    means.push(sum / n);
  }
  return { value, low: quantile(means, 0.025), high: quantile(means, 0.975) };
}

/**
 * Any statistic with a percentile bootstrap interval (Efron & Tibshirani 1993) that draws whole groups with replacement.
 * A group that is drawn twice is handed over twice: a statistic over pairs has to leave out those of a group and its own
 * copy, or it grows by what everybody has in common with himself.
 * @param groups all that belongs to one person, or to one video where faces of one recording are not independent
 * @param statistic of all groups (the value), then of `rounds` draws of as many; rounds in which it is NaN are left out
 * @returns in the statistic's unit; `low` and `high` are NaN with fewer than two groups, when fewer than half of the rounds
 * gave a number, and when all gave the same one: an interval of no width would claim a certainty that nobody has
 */
export function bootstrapStatistic<T>(
  groups: readonly T[],
  statistic: (drawn: readonly T[]) => number,
  rounds = 1000,
): Estimate {
  const value = statistic(groups);
  const none = { value, low: Number.NaN, high: Number.NaN };
  if (groups.length < 2 || !Number.isFinite(value)) return none;
  const random = seededRandom(1);
  const values: number[] = [];
  for (let r = 0; r < rounds; r++) {
    const v = statistic(groups.map(() => groups[Math.floor(random() * groups.length)]!));
    if (Number.isFinite(v)) values.push(v);
  }
  if (2 * values.length < rounds || values.every((v) => v === values[0])) return none;
  return { value, low: quantile(values, 0.025), high: quantile(values, 0.975) };
}

/** What belongs together, in the order of first appearance. @param names of each value's person or video */
export function grouped<T>(values: readonly T[], names: readonly string[]): T[][] {
  const groups = new Map<string, T[]>();
  values.forEach((v, i) => {
    const group = groups.get(names[i]!);
    if (group) group.push(v);
    else groups.set(names[i]!, [v]);
  });
  return [...groups.values()];
}

/**
 * The rate that `people` of whom it happened to nobody cannot exclude: the upper end of the exact 95 % interval
 * (Clopper & Pearson 1934).
 */
export function exactBoundOfNone(people: number): number {
  return 1 - 0.025 ** (1 / people);
}

/**
 * A rate with its interval. Where nothing or everything happened, resampling would give an interval of no width: the exact
 * bound for that many people then (Clopper & Pearson 1934).
 * @param values 0 or 1, or shares of what was counted of a person @param people the person in that picture
 */
export function bootstrapRate(values: readonly number[], people: readonly string[]): Estimate {
  const estimate = bootstrapMean(values, people);
  const n = new Set(people.filter((_, i) => Number.isFinite(values[i]!))).size;
  if (n > 1 && estimate.value === 0) return { value: 0, low: 0, high: exactBoundOfNone(n) };
  if (n > 1 && estimate.value === 1) return { value: 1, low: 1 - exactBoundOfNone(n), high: 1 };
  return estimate;
}
