import { beforeEach, describe, expect, it } from 'vitest';
import type { EyeCrop, Picture, PupilFinder } from '../../src/core/vision.ts';
import { ModelStore } from '../../src/infer/model-store.ts';
import { Gaze } from '../../src/track/gaze.ts';
import { photoAsPicture } from '../support/photo.ts';

const SIDE = 46; // 2.3 × 20 pixels between the corners
const TURN = 0.3;
const picture: Picture = photoAsPicture(ModelStore.open().verify('demo-photo-3'));

/** 68 points of which only the eyes matter: two open eyes, 20 px wide, on a head that leans by TURN. */
function pointsWithEyes(rightOpen = true): Float32Array {
  const points = new Float32Array(136);
  const shape = (open: boolean) =>
    open ? [-10, 0, -4, -4, 4, -4, 10, 0, 4, 4, -4, 4] : [-10, 0, -4, 0, 4, 0, 10, 0, 4, 0, -4, 0];
  for (const [from, x, open] of [
    [36, 100, true],
    [42, 160, rightOpen],
  ] as const)
    for (let k = 0; k < 6; k++) {
      const [dx, dy] = [shape(open)[2 * k]!, shape(open)[2 * k + 1]!];
      points[2 * (from + k)] = x + Math.cos(TURN) * dx - Math.sin(TURN) * dy;
      points[2 * (from + k) + 1] = 120 + Math.sin(TURN) * dx + Math.cos(TURN) * dy;
    }
  return points;
}

/** Where the eyes really look, of the side of their squares; the right one is a little further out. */
const VERGENCE = 0.02;
let gaze = { x: 0, y: 0 };
let looks: EyeCrop[] = [];
let blind = false;
const truth = (eye: EyeCrop) => {
  const [x, y] = [gaze.x + (eye.eye === 'right' ? VERGENCE : 0), gaze.y];
  return {
    x: eye.cx + eye.side * (Math.cos(TURN) * x - Math.sin(TURN) * y),
    y: eye.cy + eye.side * (Math.sin(TURN) * x + Math.cos(TURN) * y),
  };
};
const finder: PupilFinder = {
  find: async (_, eyes) => {
    looks.push(...eyes);
    return eyes.map((eye) => (blind ? undefined : truth(eye)));
  },
};

/** Distance of the worse pupil from the truth, of the eye square's side. */
function error(pupils: Float32Array, points: Float32Array): number {
  const middle = (from: number) => {
    let [x, y] = [0, 0];
    for (let k = from; k < from + 6; k++) [x, y] = [x + points[2 * k]! / 6, y + points[2 * k + 1]! / 6];
    return { cx: x, cy: y, side: SIDE, angle: TURN };
  };
  return Math.max(
    ...(['left', 'right'] as const).map((eye, i) => {
      const at = truth({ ...middle(36 + 6 * i), eye });
      return Math.hypot(pupils[2 * i]! - at.x, pupils[2 * i + 1]! - at.y) / SIDE;
    }),
  );
}

describe('Gaze', () => {
  beforeEach(() => {
    gaze = { x: 0, y: 0 };
    looks = [];
    blind = false;
  });

  it('looks at both eyes once, then at one on each frame, and knows both', async () => {
    const [eyes, points] = [new Gaze(), pointsWithEyes()];
    for (let n = 0; n < 20; n++)
      expect(error(await eyes.find(finder, picture, points, TURN), points)).toBeLessThan(1e-4);
    expect(looks.length).toBe(21);
    expect(looks.slice(2).filter((l) => l.eye === 'left').length).toBe(10 - 1 + (looks[2]!.eye === 'left' ? 1 : 0));
  });

  it('follows a gaze that wanders and one that jumps, with both eyes at once', async () => {
    const [eyes, points] = [new Gaze(), pointsWithEyes()];
    for (let n = 0; n < 60; n++) {
      gaze = { x: 0.06 * Math.sin(n / 8), y: 0.02 * Math.cos(n / 5) };
      if (n >= 30) gaze.x = gaze.x < 0 ? -0.08 : 0.08;
      // A hundredth of the square is a fifth of a pixel in the canonical field.
      expect(error(await eyes.find(finder, picture, points, TURN), points)).toBeLessThan(0.012);
    }
  });

  it('says nothing about an eye that is closed, and looks at both when it opens', async () => {
    const [eyes, open] = [new Gaze(), pointsWithEyes()];
    await eyes.find(finder, picture, open, TURN);
    const wink = await eyes.find(finder, picture, pointsWithEyes(false), TURN);
    expect([...wink.subarray(2)]).toEqual([-1000, -1000]);
    expect(wink[0]).toBeGreaterThan(0);
    looks = [];
    expect(error(await eyes.find(finder, picture, open, TURN), open)).toBeLessThan(1e-4);
    expect(looks.length).toBe(2);
  });

  it('invents no gaze when the eye that is looked at shows none', async () => {
    const [eyes, points] = [new Gaze(), pointsWithEyes()];
    await eyes.find(finder, picture, points, TURN);
    blind = true;
    expect([...(await eyes.find(finder, picture, points, TURN))]).toEqual([-1000, -1000, -1000, -1000]);
  });
});
