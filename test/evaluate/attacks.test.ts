import { describe, expect, it } from 'vitest';
import { principalAxes, solveSymmetric } from '../../src/evaluate/attacks/linear-algebra.ts';
import { type Sample, trainedMatcher } from '../../src/evaluate/attacks/trained-matcher.ts';
import { bootstrapRate, seededRandom } from '../../src/evaluate/metrics/statistics.ts';

const SIZE = 24;
const PEOPLE = 60;

function normals(seed: number, count: number): Float32Array {
  const random = seededRandom(seed);
  return Float32Array.from({ length: count }, () => {
    return Math.sqrt(-2 * Math.log(random() + 1e-12)) * Math.cos(2 * Math.PI * random());
  });
}

/** Outputs that are the original's features, mixed by a secret matrix and drowned in noise. */
function samples(share: number): Sample[] {
  const mix = normals(1, SIZE * SIZE);
  return Array.from({ length: PEOPLE }, (_, p) => {
    const gallery = normals(100 + p, SIZE);
    const noise = normals(1000 + p, SIZE);
    const probe = Float32Array.from({ length: SIZE }, (_, i) => {
      let sum = 0;
      for (let j = 0; j < SIZE; j++) sum += (mix[i * SIZE + j]! * gallery[j]!) / Math.sqrt(SIZE);
      return share * sum + (1 - share) * noise[i]!;
    });
    return { person: `p${p}`, probe, gallery };
  });
}

describe('the trained matcher', () => {
  it('learns a mixing that no untrained comparison sees through', () => {
    expect(trainedMatcher(samples(1))!.value).toBeGreaterThan(0.6);
  });

  it('finds nobody in outputs that carry nothing', () => {
    const result = trainedMatcher(samples(0))!;
    expect(result.value).toBeLessThan(0.12);
    expect(result.chance).toBeCloseTo(1 / PEOPLE, 9);
  });

  it('sees through a plain copy without training', () => {
    const copies = samples(0).map((s) => ({ ...s, probe: s.gallery }));
    expect(trainedMatcher(copies)!.value).toBe(1);
    // A grey box for everybody is as near to each original as to every other: that finds nobody.
    const boxes = copies.map((sample) => ({ ...sample, probe: Array.from(sample.probe, () => 0.376) }));
    expect(trainedMatcher(boxes)!.value).toBe(0);
  });

  it('says none, and not nothing, when no setting finds anybody', () => {
    const twelve = Array.from({ length: 40 }, (_, seed) =>
      trainedMatcher(
        Array.from({ length: 12 }, (_, p) => ({
          person: `p${p}`,
          probe: normals(10_000 * seed + p, SIZE),
          gallery: normals(10_000 * seed + 100 + p, SIZE),
        })),
      ),
    );
    const none = twelve.filter((r) => r!.value === 0);
    expect(none.length).toBeGreaterThan(0);
    for (const { high, n } of none as { high: number; n: number }[]) expect([high > 0.2, n]).toEqual([true, 12]);
    for (const result of twelve) expect(result!.value).not.toBeNaN();
  });

  it('does not pretend to learn from a handful of people', () => {
    expect(trainedMatcher(samples(1).slice(0, 9))).toBeUndefined();
  });
});

describe('linear algebra', () => {
  it('solves a symmetric system', () => {
    const a = [Float64Array.of(4, 1), Float64Array.of(1, 3)];
    const [x, y] = solveSymmetric(a, [Float64Array.of(1), Float64Array.of(2)]);
    expect(x![0]).toBeCloseTo(1 / 11, 12);
    expect(y![0]).toBeCloseTo(7 / 11, 12);
  });

  it('finds the axis of largest variance first', () => {
    const rows = Array.from({ length: 40 }, (_, i) =>
      Float64Array.of(Math.sin(i), 5 * Math.cos(3 * i), 0.1 * Math.sin(7 * i)),
    );
    const { axes, variances } = principalAxes(rows, 2);
    expect(Math.abs(axes[0]![1]!)).toBeGreaterThan(0.99);
    expect(variances[0]!).toBeGreaterThan(variances[1]!);
  });
});

describe('intervals of rates', () => {
  it('are exact where nothing or everything happened', () => {
    const people = Array.from({ length: 100 }, (_, i) => String(i));
    expect(bootstrapRate(new Array(100).fill(0), people).high).toBeCloseTo(0.0362, 4);
    expect(bootstrapRate(new Array(100).fill(1), people).low).toBeCloseTo(0.9638, 4);
  });
});
