import { describe, expect, it } from 'vitest';
import { keyedNormals } from '../../src/core/keyed-random.ts';
import { interOcular } from '../../src/track/canonical.ts';
import { FacePoints } from '../../src/track/face-points.ts';
import { BoxMotion } from '../../src/track/kalman.ts';
import { misfit } from '../../src/track/misfit.ts';
import { NeutralShape } from '../../src/track/neutral.ts';
import { PointSmoother } from '../../src/track/one-euro.ts';
import { trackOptions } from '../../src/track/options.ts';
import { eyeOpening } from '../../src/track/pupils.ts';
import { Retargeter, retargetOffset, symmetric, understudyShape } from '../../src/track/retarget.ts';
import { fixtureShape, neutralShape } from './fakes.ts';

const KEY = new Uint8Array(32).fill(3);
const { smoothing } = trackOptions({ mode: 'file', sessionKey: KEY });
const noise = (i: number, t: number) => 0.4 * Math.sin(12.9898 * (i + 1) * (t + 1) + 78.233 * t * t);

describe('BoxMotion', () => {
  it('goes at once to where a face has jumped, that no part of it is left out of the cover, and smooths what only wobbles', () => {
    const [width, height] = [100, 120];
    for (const [jump, at] of [
      [{ x: 60, y: 0, width, height }, 60],
      [{ x: -40, y: -60, width: 2 * width, height: 2 * height }, -40],
    ] as const) {
      const motion = new BoxMotion({ x: 0, y: 0, width, height });
      for (let i = 0; i < 20; i++) {
        motion.predict(1 / 30, false);
        motion.update({ x: i % 2, y: 0, width, height });
      }
      motion.predict(1 / 30, false);
      motion.update(jump);
      expect(motion.box.x).toBeCloseTo(at);
      expect(motion.box.width).toBeCloseTo(jump.width);
    }
    const wobbling = new BoxMotion({ x: 0, y: 0, width, height });
    for (let i = 0; i < 20; i++) {
      wobbling.predict(1 / 30, false);
      wobbling.update({ x: 0, y: 0, width, height });
    }
    wobbling.predict(1 / 30, false);
    wobbling.update({ x: 12, y: 15, width: 0.75 * width, height: 0.75 * height });
    expect(wobbling.box.width).toBeGreaterThan(0.85 * width);
  });

  it('follows a constant speed through a gap, then comes to rest without shrinking', () => {
    const motion = new BoxMotion({ x: 0, y: 0, width: 50, height: 60 });
    for (let i = 1; i <= 15; i++) {
      motion.predict(1 / 30, false);
      motion.update({ x: 5 * i, y: 0, width: 50, height: 60 });
    }
    const next = motion.predict(1 / 30, false);
    expect(next.x).toBeGreaterThan(78);
    expect(next.x).toBeLessThan(82);
    let last = next.x;
    for (let i = 0; i < 60; i++) last = motion.predict(1 / 30, true).x;
    const after = motion.predict(1 / 30, true);
    expect(after.x - last).toBeLessThan(1);
    expect(after.width).toBeCloseTo(next.width, 3);
  });
});

describe('smoothing', () => {
  it('calms a still face and does not depend on its size', () => {
    const jitter = [1, 4].map((scale) => {
      const points = new FacePoints(smoothing);
      let sum = 0;
      let before: Float32Array | undefined;
      for (let t = 0; t < 60; t++) {
        const found = neutralShape().map((v, i) => scale * (v + noise(i, t)));
        const face = points.update(found, new Float32Array(4).fill(-1000), 1 / 30)!;
        if (before) for (let i = 0; i < 136; i++) sum += Math.abs(face.own[i]! - before[i]!);
        before = Float32Array.from(face.own);
      }
      return sum / 59 / 136;
    });
    expect(jitter[0]!).toBeLessThan(0.2);
    expect(jitter[1]!).toBeCloseTo(jitter[0]!, 3);
  });

  it('takes uneven frame intervals as they come', () => {
    const end = [1, 3].map((step) => {
      const smoother = new PointSmoother(1, smoothing);
      const smooth = Float32Array.of(0, 0);
      for (let t = 0; t < 30; t += step) smoother.step(smooth, Float32Array.of(1, 0), step / 120);
      return smooth[0]!;
    });
    expect(Math.abs(end[0]! - end[1]!)).toBeLessThan(0.15);
  });

  it('keeps what was found beside what was smoothed, and unknown pupils unknown', () => {
    const points = new FacePoints(smoothing);
    points.update(neutralShape(), Float32Array.of(45, 50, -1000, -1000), 1 / 30);
    const jump = neutralShape().map((v, i) => (i === 16 ? v + 10 : v));
    const face = points.update(jump, Float32Array.of(-1000, -1000, 83, 50), 1 / 30)!;
    expect(face.raw[16]! - face.own[16]!).toBeGreaterThan(0.5);
    expect([face.own[136], face.own[137]]).toEqual([-1000, -1000]);
    expect(face.own[138]).toBeGreaterThan(0);
  });
});

/** From a point to the line through the points 0 to 16. */
function distanceToContour(points: Float32Array, x: number, y: number): number {
  let nearest = Number.POSITIVE_INFINITY;
  for (let i = 0; i < 16; i++) {
    const [ax, ay] = [points[2 * i]!, points[2 * i + 1]!];
    const [ex, ey] = [points[2 * i + 2]! - ax, points[2 * i + 3]! - ay];
    const along = Math.max(0, Math.min(1, ((x - ax) * ex + (y - ay) * ey) / (ex * ex + ey * ey)));
    nearest = Math.min(nearest, Math.hypot(ax + along * ex - x, ay + along * ey - y));
  }
  return nearest;
}

describe('how well a generated face fits its points', () => {
  it('does not count a common shift, nor the outline, but what a mouth does', () => {
    const wanted = neutralShape();
    expect(misfit(wanted, wanted)).toBe(0);
    const shifted = wanted.map((v) => v + 3);
    for (let i = 0; i < 34; i++) shifted[i] = 0;
    expect(misfit(shifted, wanted)).toBeCloseTo(0, 5);
    const open = Float32Array.from(wanted);
    for (let i = 55; i < 60; i++) open[2 * i + 1] = open[2 * i + 1]! + 0.3 * interOcular(wanted);
    expect(misfit(open, wanted)).toBeGreaterThan(0.03);
    expect(misfit(wanted.fill(Number.NaN), open)).toBeNaN();
  });
});

describe('retargeting', () => {
  const shape = fixtureShape();

  it('draws the same understudy for the same key and person, another one for another', () => {
    expect(understudyShape(shape, KEY, 1)).toEqual(understudyShape(shape, KEY, 1));
    expect(understudyShape(shape, KEY, 1)).not.toEqual(understudyShape(shape, KEY, 2));
    expect(understudyShape(shape, new Uint8Array(32), 1)).not.toEqual(understudyShape(shape, KEY, 1));
  });

  it('draws standard normal numbers', () => {
    const n = keyedNormals(KEY, 'shape:1', 1000);
    const mean = n.reduce((a, b) => a + b) / 1000;
    expect(mean).toBeCloseTo(0, 0);
    expect(Math.sqrt(n.reduce((a, b) => a + b * b) / 1000)).toBeCloseTo(1, 0);
  });

  it('stays below its cap and keeps the opening of eyes and mouth', () => {
    const own = neutralShape();
    for (let person = 0; person < 20; person++) {
      const offset = retargetOffset(understudyShape(shape, KEY, person), own, 0.12);
      const cap = 0.12 * interOcular(own) + 1e-3;
      for (let i = 0; i < 68; i++) expect(Math.hypot(offset[2 * i]!, offset[2 * i + 1]!)).toBeLessThanOrEqual(cap);
      const retargeter = new Retargeter();
      retargeter.settle(offset, 0);
      const driven = retargeter.apply(new Float32Array([...own, 45, 50, -1000, -1000]));
      const gap = (p: Float32Array, i: number, j: number) => p[2 * j + 1]! - p[2 * i + 1]!;
      for (const [i, j] of [
        [37, 41],
        [62, 66],
      ] as const)
        expect(gap(driven, i, j)).toBeCloseTo(gap(own, i, j), 3);
      expect(driven[138]).toBe(-1000);
    }
  });

  it('keeps the outline, whatever slides along it', () => {
    const own = neutralShape();
    const near = 0.03 * interOcular(own);
    let slid = 0;
    for (let person = 0; person < 20; person++) {
      const offset = retargetOffset(understudyShape(shape, KEY, person), own, 0.12);
      for (let i = 1; i < 16; i++) {
        const [x, y] = [own[2 * i]! + offset[2 * i]!, own[2 * i + 1]! + offset[2 * i + 1]!];
        slid = Math.max(slid, Math.hypot(offset[2 * i]!, offset[2 * i + 1]!));
        expect(distanceToContour(own, x, y)).toBeLessThan(near);
      }
    }
    expect(slid).toBeGreaterThan(2 * near);
  });

  it('leaves what a turned head does to the points alone', () => {
    const turned = neutralShape().map((v, i) => (i % 2 === 0 ? v + 4 : v));
    const offset = retargetOffset(symmetric(neutralShape()), turned, 0.12);
    for (let i = 0; i < 68; i++) expect(offset[2 * i]!).toBeCloseTo(0, 3);
  });

  it('glides to a new target instead of jumping', () => {
    const retargeter = new Retargeter();
    retargeter.settle(new Float32Array(136), 0);
    retargeter.settle(new Float32Array(136).fill(4), 1 / 30);
    expect(retargeter.apply(new Float32Array(140))[0]!).toBeLessThan(0.3);
  });
});

describe('NeutralShape', () => {
  it('is the median: a short smile does not change it', () => {
    const neutral = new NeutralShape();
    for (let t = 0; t < 15; t++)
      neutral.add(
        neutralShape().map((v) => v + (t < 4 ? 6 : 0)),
        t * 33_000,
      );
    expect(neutral.points![0]!).toBeCloseTo(neutralShape()[0]!, 3);
  });
});

describe('eyes', () => {
  it('open and closed', () => {
    const open = neutralShape();
    expect(eyeOpening(open, 36)).toBeGreaterThan(0.3);
    const closed = open.map((v, i) => (i >= 72 && i < 84 && i % 2 === 1 ? 50 : v));
    expect(eyeOpening(closed, 36)).toBe(0);
  });
});
