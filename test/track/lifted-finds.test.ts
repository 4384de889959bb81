import { describe, expect, it } from 'vitest';
import { type Found, mergeLooks } from '../../src/track/merge.ts';

const CERTAIN = 0.9;
const found = (
  score: number,
  x: number,
  y: number,
  width: number,
  height: number,
  extra: Partial<Found> = {},
): Found => ({
  ...{ score, x, y, width, height, angle: 0, clipped: false },
  ...extra,
});
const lifted = { lifted: true };

describe('finds in lightened shadows', () => {
  it('add nothing to a face that is certain without', () => {
    const plain = found(0.99, 100, 100, 100, 120);
    expect(mergeLooks([plain, found(0.999, 105, 105, 70, 80, lifted)], CERTAIN)).toEqual([plain]);
  });

  it('tell of people whom nothing else tells of', () => {
    const plain = found(0.99, 100, 100, 100, 120);
    const dark = found(0.8, 400, 100, 90, 110, lifted);
    expect(mergeLooks([plain, dark], CERTAIN)).toEqual([plain, dark]);
  });

  it('do not make less of a face that was seen whole', () => {
    const whole = found(0.6, 100, 100, 100, 140);
    const half = found(0.95, 105, 105, 85, 65, lifted);
    const [face, ...others] = mergeLooks([whole, half], CERTAIN);
    expect(others).toEqual([]);
    expect(face).toMatchObject({ x: 100, y: 100, width: 100, height: 140, score: 0.95 });
  });

  it('are better looks at a face that is doubtful without', () => {
    const [face, ...others] = mergeLooks(
      [found(0.4, 100, 100, 100, 120), found(0.95, 98, 102, 104, 124, lifted)],
      CERTAIN,
    );
    expect(others).toEqual([]);
    expect(face!.score).toBe(0.95);
  });
});
