import { describe, expect, it } from 'vitest';
import type { FaceRecord } from '../../src/evaluate/face-record.ts';
import { eigenvalues, frechetDistance } from '../../src/evaluate/metrics/frechet-distance.ts';
import { seededRandom } from '../../src/evaluate/metrics/statistics.ts';
import { setDistances } from '../../src/evaluate/set-distances.ts';

const random = seededRandom(5);
const normal = () => Math.sqrt(-2 * Math.log(random() + 1e-12)) * Math.cos(2 * Math.PI * random());
/** Points with exactly this mean and these variances, uncorrelated: ±√(variance·(n − 1)/2)… on the axes. */
function crosses(mean: number[], variances: number[]): number[][] {
  const n = 2 * mean.length;
  return variances.flatMap((v, axis) =>
    [1, -1].map((sign) => mean.map((m, i) => m + (i === axis ? sign * Math.sqrt((v * (n - 1)) / 2) : 0))),
  );
}

describe('Fréchet distance', () => {
  it('is the closed form for Gaussians along the same axes', () => {
    const a = crosses([0, 0, 0], [1, 4, 9]);
    const b = crosses([3, 0, 4], [4, 4, 1]);
    // |μ|² = 25; Σ(√v₁ − √v₂)² = 1 + 0 + 4.
    expect(frechetDistance(a, b)).toBeCloseTo(30, 6);
    expect(frechetDistance(b, a)).toBeCloseTo(30, 6);
  });

  it('is 0 for a set and itself, however correlated, and sees a rotation', () => {
    const a = Array.from({ length: 60 }, () => {
      const [x, y] = [normal(), normal()];
      return [3 * x, x + 0.5 * y, normal()];
    });
    expect(frechetDistance(a, a)).toBeCloseTo(0, 6);
    const turned = a.map(([x, y, z]) => [-y!, x!, z!]);
    expect(frechetDistance(a, turned)).toBeGreaterThan(1);
  });

  it('survives a direction in which nothing varies', () => {
    const flat = crosses([0, 0], [1, 0]);
    expect(frechetDistance(flat, crosses([0, 0], [4, 0]))).toBeCloseTo(1, 6);
  });

  it('is not a number with no more samples than dimensions', () => {
    expect(frechetDistance([[1, 2]], [[1, 2]])).toBeNaN();
    expect(frechetDistance([], [])).toBeNaN();
  });

  it('rests on eigenvalues that are right', () => {
    const values = eigenvalues([Float64Array.of(2, 1, 0), Float64Array.of(1, 2, 0), Float64Array.of(0, 0, 5)]);
    expect(values.sort((a, b) => a - b).map((v) => Math.round(v * 1e9) / 1e9)).toEqual([1, 3, 5]);
  });
});

describe('distances of sets of faces', () => {
  const vector = (length: number) => Float32Array.from({ length }, normal);
  const face = (i: number, key: string): FaceRecord =>
    ({
      name: `p${i}`,
      person: `p${i}`,
      embeddings: { [key]: { original: vector(4), anonymized: vector(4) } },
    }) as unknown as FaceRecord;
  const faces = (count: number, key: string) => Array.from({ length: count }, (_, i) => face(i, key));

  it('are on the net they are named after, or are not given', () => {
    const { scores, absent } = setDistances(faces(20, 'A'));
    expect(scores).toEqual({});
    expect(absent).toEqual(['KID and the Fréchet distance: there are no features, MobileFaceNet is missing']);
  });

  it('have an interval over people for KID, and say why the Fréchet distance has none', () => {
    const { scores, absent } = setDistances(faces(20, 'C'));
    expect(scores.kid!.n).toBe(20);
    expect(scores.kid!.low).toBeLessThan(scores.kid!.value);
    expect(scores.kid!.high).toBeGreaterThan(scores.kid!.value);
    expect(scores.frechet!.value).toBeGreaterThan(0);
    expect(scores.frechet!.low).toBeNaN();
    expect(absent.join()).toMatch(/^the Fréchet distance's interval: /);
  });

  it('say that there are too few faces for a Fréchet distance', () => {
    const { scores, absent } = setDistances(faces(4, 'C'));
    expect(scores.frechet).toBeUndefined();
    expect(absent).toEqual(['the Fréchet distance: 4 faces, more than 4 are needed']);
  });

  it('would put an interval of the Fréchet distance above its value', () => {
    const points = (shift: number) => Array.from({ length: 60 }, () => [0, 1, 2, 3].map(() => normal() + shift));
    const [real, fake] = [points(0), points(0.3)];
    const drawn = Array.from({ length: 40 }, () => {
      const who = real.map(() => Math.floor(random() * real.length));
      return frechetDistance(
        who.map((i) => real[i]!),
        who.map((i) => fake[i]!),
      );
    });
    expect(drawn.filter((d) => d > frechetDistance(real, fake)).length).toBeGreaterThan(30);
  });
});
