import { describe, expect, it } from 'vitest';
import { closeLids } from '../../src/track/lids.ts';
import { eyeOpening } from '../../src/track/pupils.ts';
import { shapes } from '../support/shapes.ts';

const [rest] = shapes(1, 5);

/** The face at rest with lids so much nearer to each other, of the picture's left and right eye. */
function narrowed(left: number, right: number): Float32Array {
  const out = Float32Array.from(rest!);
  for (const [from, factor] of [
    [36, left],
    [42, right],
  ] as const)
    for (const [upper, lower] of [
      [1, 5],
      [2, 4],
    ] as const)
      for (const axis of [0, 1]) {
        const [u, l] = [2 * (from + upper) + axis, 2 * (from + lower) + axis];
        const gap = rest![u]! - rest![l]!;
        out[u] = rest![l]! + factor * gap;
      }
  return out;
}

function driven(own: Float32Array, neutral: Float32Array | undefined = rest): Float32Array {
  const out = Float32Array.from(own);
  closeLids(out, own, neutral);
  return out;
}

const openings = (points: Float32Array) => [36, 42].map((from) => eyeOpening(points, from) / eyeOpening(rest!, from));

describe('lids', () => {
  it('stay as they are while eyes are open', () => {
    for (const factor of [0.9, 1, 1.2]) {
      const own = narrowed(factor, factor);
      expect(driven(own)).toEqual(own);
    }
  });

  it('shut where the landmark network has them three fifths apart, and nothing is looked at', () => {
    const points = driven(narrowed(0.61, 0.63));
    for (const opening of openings(points)) expect(opening).toBeLessThan(0.1);
    expect([...points.slice(136)]).toEqual([-1000, -1000, -1000, -1000]);
  });

  it('shut by degrees, with all but the lids where it was', () => {
    let before = 1;
    for (const factor of [0.86, 0.8, 0.75, 0.7, 0.65]) {
      const own = narrowed(factor, factor);
      const points = driven(own);
      const [opening] = openings(points);
      expect(opening!).toBeLessThan(Math.min(before, factor));
      before = opening!;
      for (const i of [0, 16, 27, 30, 36, 39, 42, 45, 48, 62]) expect(points[2 * i + 1]).toBe(own[2 * i + 1]);
    }
  });

  it('shut together when the two differ a little, and one alone winks', () => {
    const together = openings(driven(narrowed(0.62, 0.72)));
    expect(Math.abs(together[0]! - together[1]!)).toBeLessThan(0.06);
    const wink = openings(driven(narrowed(0.6, 1)));
    expect(wink[0]).toBeLessThan(0.1);
    expect(wink[1]).toBeCloseTo(1, 3);
  });

  it('stay as they are of somebody whose resting face is not known', () => {
    const own = narrowed(0.6, 0.6);
    const points = Float32Array.from(own);
    closeLids(points, own, undefined);
    expect(points).toEqual(own);
  });
});
