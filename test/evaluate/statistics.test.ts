import { describe, expect, it } from 'vitest';
import { agreement } from '../../src/evaluate/metrics/agreement.ts';
import { kernelDistance } from '../../src/evaluate/metrics/kernel-distance.ts';
import {
  calibrate,
  cosine,
  impostorScores,
  minusDistance,
  ranks,
  rateAbove,
} from '../../src/evaluate/metrics/reidentification.ts';
import { bootstrapMean, quantile, seededRandom } from '../../src/evaluate/metrics/statistics.ts';
import {
  flicker,
  identitySeparation,
  identitySteadiness,
  temporalCorrelation,
} from '../../src/evaluate/metrics/video.ts';

function gaussian(length: number, seed: number, shift = 0): Float32Array {
  const random = seededRandom(seed);
  return Float32Array.from({ length }, () => {
    return Math.sqrt(-2 * Math.log(random() + 1e-12)) * Math.cos(2 * Math.PI * random()) + shift;
  });
}

const people = Array.from({ length: 40 }, (_, i) => ({ person: `p${i}`, embedding: gaussian(64, i + 10) }));

describe('re-identification', () => {
  it('calibrates so that the asked fraction of impostors is accepted', () => {
    const scores = gaussian(200_000, 5);
    const point = calibrate(scores, 1e-3);
    if (!point.measurable) throw new Error('200,000 pairs are enough for FAR 1e-3');
    expect(rateAbove([...scores], point.threshold)).toBeCloseTo(1e-3, 5);
    expect(point.threshold).toBeCloseTo(3.09, 1);
  });

  it('says "not measurable" below 100 expected false accepts', () => {
    expect(calibrate(gaussian(99_999, 5), 1e-3)).toEqual({ measurable: false, impostorPairs: 99_999, needed: 100_000 });
  });

  it('counts only pairs of different people as impostors', () => {
    const e = people.slice(0, 4).map((p) => p.embedding);
    expect(impostorScores(e, ['a', 'a', 'b', 'b'], cosine)).toHaveLength(4);
  });

  it('catches an "anonymizer" that copies', () => {
    expect(ranks(people, people, cosine)).toEqual(people.map(() => 1));
    expect(ranks(people, people, minusDistance)).toEqual(people.map(() => 1));
    expect(people.every((p) => cosine(p.embedding, p.embedding) > 0.999)).toBe(true);
  });

  it('finds unrelated embeddings as often as chance does, once in 40 people', () => {
    // One draw is a Poisson count around 1 and says little; the mean of 100 draws has a standard error of 0.1.
    let found = 0;
    for (let draw = 1; draw <= 100; draw++) {
      const unrelated = people.map((p, i) => ({ ...p, embedding: gaussian(64, draw * 1000 + i) }));
      found += ranks(unrelated, people, cosine).filter((r) => r === 1).length;
    }
    expect(found / 100).toBeGreaterThan(0.6);
    expect(found / 100).toBeLessThan(1.4);
  });

  it('counts a tie as found: a constant embedding hides nobody by accident', () => {
    const constant = people.map((p) => ({ ...p, embedding: new Float32Array(64).fill(1) }));
    expect(ranks(constant, constant, cosine).every((r) => r === 1)).toBe(true);
  });

  it('has no rank for somebody who is not in the gallery', () => {
    expect(ranks([{ person: 'stranger', embedding: gaussian(64, 1) }], people, cosine)[0]).toBeNaN();
  });
});

describe('statistics', () => {
  it('bootstraps over people: copies of one picture do not narrow the interval', () => {
    const values = [...gaussian(30, 8)];
    const names = values.map((_, i) => `p${i}`);
    const once = bootstrapMean(values, names);
    const thrice = bootstrapMean([...values, ...values, ...values], [...names, ...names, ...names]);
    expect(thrice.value).toBeCloseTo(once.value, 9);
    expect(thrice.high - thrice.low).toBeCloseTo(once.high - once.low, 6);
    expect(once.high - once.low).toBeGreaterThan(0.4);
  });

  it('leaves NaN out of a mean and gives no interval for one person', () => {
    expect(bootstrapMean([1, Number.NaN, 3], ['a', 'b', 'c']).value).toBe(2);
    expect(bootstrapMean([1, 2], ['a', 'a']).low).toBeNaN();
  });

  it('interpolates quantiles', () => {
    expect(quantile([4, 1, 3, 2], 0.5)).toBe(2.5);
  });
});

describe('kernel distance', () => {
  const set = (seed: number, shift: number) =>
    Array.from({ length: 60 }, (_, i) => gaussian(16, seed * 1000 + i, shift));

  it('is about 0 for two samples of one distribution and grows with a shift', () => {
    const same = kernelDistance(set(1, 0), set(2, 0), { size: 50 }).value;
    const near = kernelDistance(set(1, 0), set(2, 0.3), { size: 50 }).value;
    const far = kernelDistance(set(1, 0), set(2, 1), { size: 50 }).value;
    expect(Math.abs(same)).toBeLessThan(0.05);
    expect(near).toBeGreaterThan(same);
    expect(far).toBeGreaterThan(near * 2);
  });

  it('is not a number for a single picture', () => {
    expect(kernelDistance(set(1, 0).slice(0, 1), set(2, 0)).value).toBeNaN();
  });
});

describe('expression agreement', () => {
  it('gives the worked example of Cohen: 35 of 50, κ 0.4', () => {
    const before = [...Array(25).fill(0), ...Array(25).fill(1)];
    const after = [...Array(20).fill(0), ...Array(5).fill(1), ...Array(10).fill(0), ...Array(15).fill(1)];
    const { rate, kappa, macro } = agreement(before, after);
    expect(rate).toBeCloseTo(0.7, 9);
    expect(kappa).toBeCloseTo(0.4, 9);
    expect(macro).toBeCloseTo(0.7, 9);
  });

  it('gives a classifier that always answers the same no κ', () => {
    expect(agreement([0, 0, 0, 1], [0, 0, 0, 0]).kappa).toBe(0);
  });
});

describe('video metrics', () => {
  const mask = new Uint8Array([1, 1, 0, 0]);

  it('measures flicker inside the mask only', () => {
    const still = Float32Array.from([10, 10, 10, 10]);
    expect(flicker([still, still, still], mask)).toBe(0);
    expect(flicker([still, Float32Array.from([13, 6, 99, 99])], mask)).toBeCloseTo(Math.sqrt(12.5), 5);
  });

  it('correlates motion, not position', () => {
    const track = [0, 1, 2, 1].map((v) => Float32Array.from([v, 2 * v]));
    const shifted = track.map((p) => p.map((v) => 3 * v + 7));
    expect(temporalCorrelation(track, shifted)).toBeCloseTo(1, 6);
    expect(
      temporalCorrelation(
        track,
        track.map((p) => p.map((v) => -v)),
      ),
    ).toBeCloseTo(-1, 6);
    expect(temporalCorrelation(track.slice(0, 2), shifted.slice(0, 2))).toBeNaN();
  });

  it('knows a steady identity from a changing one, and two people from one', () => {
    const a = gaussian(128, 1);
    const b = gaussian(128, 2);
    expect(identitySteadiness([a, a, a])).toBeCloseTo(1, 6);
    expect(identitySteadiness([a, b, a, b])).toBeLessThan(0.8);
    expect(identitySeparation([[a, a], [a]])).toBeCloseTo(1, 6);
    expect(Math.abs(identitySeparation([[a, a], [b]]))).toBeLessThan(0.3);
  });
});
