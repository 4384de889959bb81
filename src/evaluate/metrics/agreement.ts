export interface Agreement {
  /** Fraction of pictures with the same label before and after (the paper's "expression accuracy"). */
  readonly rate: number;
  /** Cohen's κ: agreement beyond what the label frequencies give by chance; NaN when both sides have one label only. */
  readonly kappa: number;
  /** Mean over the original's labels of the agreement within each: a set of neutral faces cannot carry it alone. */
  readonly macro: number;
}

/** Agreement of two labellings of the same pictures (paper III-D; Cohen 1960). */
export function agreement(before: readonly number[], after: readonly number[]): Agreement {
  const n = before.length;
  const labels = new Set([...before, ...after]);
  let same = 0;
  let chance = 0;
  const perLabel: number[] = [];
  before.forEach((label, i) => {
    if (label === after[i]) same++;
  });
  for (const label of labels) {
    const inBefore = before.filter((l) => l === label).length;
    const inAfter = after.filter((l) => l === label).length;
    chance += (inBefore / n) * (inAfter / n);
    if (inBefore > 0) perLabel.push(before.filter((l, i) => l === label && after[i] === label).length / inBefore);
  }
  const rate = same / n;
  return {
    rate,
    kappa: chance < 1 ? (rate - chance) / (1 - chance) : Number.NaN,
    macro: perLabel.reduce((a, b) => a + b, 0) / perLabel.length,
  };
}
