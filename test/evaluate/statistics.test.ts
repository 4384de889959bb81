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
import {
  bootstrapMean,
  bootstrapStatistic,
  exactBoundOfNone,
  grouped,
  quantile,
  seededRandom,
} from '../../src/evaluate/metrics/statistics.ts';
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

describe('the bootstrap of any statistic', () => {
  const sum = (drawn: readonly number[]) => drawn.reduce((a, b) => a + b, 0);

  it('gives a mean the interval that bootstrapMean gives it', () => {
    const values = [...gaussian(30, 8)];
    const own = bootstrapStatistic(values, (drawn) => sum(drawn) / drawn.length);
    const known = bootstrapMean(
      values,
      values.map((_, i) => `p${i}`),
    );
    expect(own.value).toBeCloseTo(known.value, 9);
    expect(own.low).toBeCloseTo(known.low, 9);
    expect(own.high).toBeCloseTo(known.high, 9);
  });

  it('draws groups, so that the interval of a sum is as wide as groups differ', () => {
    // Ten groups of 0 or 2: the sum of ten draws has a standard deviation of √10.
    const { value, low, high } = bootstrapStatistic([0, 2, 0, 2, 0, 2, 0, 2, 0, 2], sum);
    expect(value).toBe(10);
    expect(low).toBe(4);
    expect(high).toBe(16);
  });

  it('claims no interval of no width, and none for one group or where most rounds have no answer', () => {
    expect(bootstrapStatistic([0, 0, 0], sum)).toEqual({ value: 0, low: Number.NaN, high: Number.NaN });
    expect(bootstrapStatistic([5], sum).low).toBeNaN();
    const rarely = (drawn: readonly number[]) => (new Set(drawn).size === drawn.length ? sum(drawn) : Number.NaN);
    expect(bootstrapStatistic([1, 2, 3, 4, 5], rarely)).toEqual({ value: 15, low: Number.NaN, high: Number.NaN });
  });

  it('keeps together what belongs together', () => {
    expect(grouped([1, 2, 3, 4], ['a', 'b', 'a', 'c'])).toEqual([[1, 3], [2], [4]]);
  });

  it('knows how rare a thing can be that happened to nobody', () => {
    // (1 − p)ⁿ = 0.025.
    expect(exactBoundOfNone(102)).toBeCloseTo(0.0355, 4);
    expect((1 - exactBoundOfNone(102)) ** 102).toBeCloseTo(0.025, 9);
  });
});

describe('kernel distance', () => {
  const set = (seed: number, shift: number) =>
    Array.from({ length: 60 }, (_, i) => gaussian(16, seed * 1000 + i, shift));
  const names = Array.from({ length: 60 }, (_, i) => `p${i}`);

  it('is about 0 for two samples of one distribution and grows with a shift', () => {
    const same = kernelDistance(set(1, 0), set(2, 0), names, { size: 50 });
    const near = kernelDistance(set(1, 0), set(2, 0.6), names, { size: 50 });
    const far = kernelDistance(set(1, 0), set(2, 1), names, { size: 50 });
    expect(Math.abs(same.value)).toBeLessThan(0.05);
    expect(near.value).toBeGreaterThan(same.value);
    expect(far.value).toBeGreaterThan(near.value * 2);
    for (const { value, low, high } of [same, near, far]) {
      expect(low).toBeLessThan(value);
      expect(high).toBeGreaterThan(value);
    }
    expect(same.low).toBeLessThan(0);
    expect(same.high).toBeGreaterThan(0);
    expect(near.low).toBeGreaterThan(0);
    expect(far.low).toBeGreaterThan(0);
  });

  it('is the unbiased MMD² of a worked example', () => {
    // One number each: k(x, y) = (xy + 1)³. Originals 1, 2, outputs 0, 0: 27 + 1 − 2·1.
    const of = (...values: number[]) => values.map((v) => Float32Array.of(v));
    expect(kernelDistance(of(1, 2), of(0, 0), ['a', 'b']).value).toBeCloseTo(26, 9);
  });

  it('is exactly 0 for copies, although nobody is compared with himself', () => {
    expect(kernelDistance(set(1, 0), set(1, 0), names).value).toBeCloseTo(0, 9);
  });

  it('has an interval over people: more pictures of the same people do not narrow it, nor move it', () => {
    const [real, fake] = [set(1, 0), set(2, 0.3)];
    const twice = (x: Float32Array[]) => [...x, ...x];
    const once = kernelDistance(real, fake, names);
    const doubled = kernelDistance(twice(real), twice(fake), [...names, ...names], { size: 200 });
    expect(doubled.value).toBeCloseTo(once.value, 1);
    expect(doubled.low).toBeCloseTo(once.low, 6);
    expect(doubled.high).toBeCloseTo(once.high, 6);
  });

  it('is not a number for a single person', () => {
    expect(kernelDistance(set(1, 0).slice(0, 1), set(2, 0).slice(0, 1), ['a']).value).toBeNaN();
    expect(kernelDistance(set(1, 0), set(2, 0), Array(60).fill('a')).value).toBeNaN();
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

  it('measures no κ where there was only one label to agree on', () => {
    expect(agreement([2, 2, 2], [2, 2, 2]).kappa).toBeNaN();
    expect(agreement([2, 2, 2], [2, 2, 2]).rate).toBe(1);
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
    expect(identitySeparation([[a, a], [a]], ['v', 'w']).value).toBeCloseTo(1, 6);
    expect(Math.abs(identitySeparation([[a, a], [b]], ['v', 'w']).value)).toBeLessThan(0.3);
  });

  it('has an interval of separation over videos, in which nobody is compared with his own copy', () => {
    const strangers = Array.from({ length: 24 }, (_, i) => [gaussian(512, 50 + i)]);
    const videos = strangers.map((_, i) => `v${Math.floor(i / 2)}`);
    const { value, low, high } = identitySeparation(strangers, videos);
    expect(low).toBeLessThan(value);
    expect(high).toBeGreaterThan(value);
    // One pair in 24 of a draw is of a copy at cosine 1: with them the interval would lie above 0.03.
    expect(high).toBeLessThan(0.03);
    expect(identitySeparation(strangers, Array(24).fill('one')).low).toBeNaN();
  });
});
