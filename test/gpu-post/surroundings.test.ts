import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { CROP_SIZE } from '../../src/core/face-track.ts';
import { markKnown, Surroundings } from '../../src/gpu-post/surroundings.ts';
import { PictureSampler } from '../../src/infer/sample.ts';

const AREA = CROP_SIZE * CROP_SIZE;
const EYES_Y = 50;
/** Of 255, when black below the mask becomes white: a texel of the mask's edge, averaged with its neighbours. */
const ONE_TEXEL = 60;

/** An oval face with eyes at one height; its mask lies `margin` outside. */
function face(margin: number) {
  const points = new Float32Array(140).fill(64);
  const at = (i: number, x: number, y: number) => points.set([x, y], 2 * i);
  for (let i = 0; i < 17; i++) at(i, 64 - 36 * Math.cos((Math.PI * i) / 16), 56 + 50 * Math.sin((Math.PI * i) / 16));
  for (let i = 17; i < 27; i++) at(i, 34 + (i - 17) * 6.7, 42);
  for (let i = 36; i < 48; i++) at(i, i < 42 ? 46 : 82, EYES_Y);
  const mask = Uint8Array.from({ length: AREA }, (_, i) => {
    const [x, y] = [i % CROP_SIZE, i >> 7];
    return Math.hypot((x - 64) / (36 + margin), (y - 56) / (50 + margin)) < 1 ? 255 : 0;
  });
  return { points, mask };
}

const filled = (rgb: (i: number) => number[]) =>
  Uint8Array.from({ length: 4 * AREA }, (_, k) => (k % 4 === 3 ? 255 : rgb(k >> 2)[k % 4]!));

describe('what lies beside a generated face', () => {
  it('never depends on a pixel of the face below it', () => {
    const surroundings = new Surroundings();
    fc.assert(
      fc.property(fc.integer({ min: 2, max: 12 }), fc.integer({ min: 0, max: 1 << 30 }), (margin, seed) => {
        const { points, mask } = face(margin);
        const around = (i: number) => [(i * 7) % 251, (i * 13) % 241, (i * 29) % 239];
        const noise = (i: number) => [0, 1, 2].map((c) => (Math.imul(i * 3 + c, 2654435761) ^ seed) & 255);
        const known = mask.map((m) => 255 - m);
        const [first, second] = [new Uint8Array(4 * AREA), new Uint8Array(4 * AREA)];
        surroundings.fill(
          filled((i) => (mask[i] ? [90, 60, 40] : around(i))),
          known,
          mask,
          points,
          first,
        );
        surroundings.fill(
          filled((i) => (mask[i] ? noise(i) : around(i))),
          known,
          mask,
          points,
          second,
        );
        expect(second).toEqual(first);
      }),
      { numRuns: 20 },
    );
  });

  it('goes on with an even background up to the outline, and leaves the face and the hair above the eyes alone', () => {
    const { points, mask } = face(10);
    const out = new Uint8Array(4 * AREA);
    new Surroundings().fill(
      filled((i) => (mask[i] ? [0, 0, 0] : [200, 180, 160])),
      mask.map((m) => 255 - m),
      mask,
      points,
      out,
    );
    const pixel = (x: number, y: number) => [...out.subarray(4 * (y * CROP_SIZE + x), 4 * (y * CROP_SIZE + x) + 4)];
    expect(pixel(64 - 42, 64)).toEqual([200, 180, 160, 0]);
    expect(pixel(64, 56 + 55)).toEqual([200, 180, 160, 0]);
    expect(pixel(64, 80)[3]).toBe(255);
    expect(pixel(64 - 36, 34)[3]).toBe(255);
    // With nothing to go on with there is only what the generator drew.
    new Surroundings().fill(
      filled(() => [0, 0, 0]),
      new Uint8Array(AREA),
      mask,
      points,
      out,
    );
    expect(out.every((v) => v === 255)).toBe(true);
  });

  /** What is grown beside a face that a picture is sampled for, as the workers do it. */
  function beside(
    luma: (x: number, y: number) => number,
    c: number,
    others: { x: number; width: number; roll: number }[],
  ) {
    const { points, mask } = face(8);
    const format = { width: 400, height: 300, colour: { matrix: 'bt601', range: 'full' } } as const;
    const planes = new Uint8Array((400 * 300 * 3) / 2).fill(128);
    for (let i = 0; i < 400 * 300; i++) planes[i] = luma(i % 400, Math.floor(i / 400));
    const toPicture = { a: 1.5, b: 0, c, d: 0, e: 1.5, f: 40 };
    const rgb = new Float32Array(3 * AREA);
    new PictureSampler(CROP_SIZE, CROP_SIZE).rgb({ planes, format }, toPicture, rgb, 0, 1);
    const known = new Uint8Array(AREA);
    const regions = others.map(({ roll, ...o }) => ({ region: { y: 60, height: 180, ...o }, roll }));
    markKnown(mask, { toPicture, ...format, others: regions }, known);
    const out = new Uint8Array(4 * AREA);
    new Surroundings().fill(
      filled((i) => [0, 1, 2].map((k) => rgb[k * AREA + i]!)),
      known,
      mask,
      points,
      out,
    );
    return { out, known, mask, toPicture };
  }

  it('takes nothing of a face that the edge of the picture cuts from what sampling repeats there', () => {
    for (const c of [-30, -60, 400 - 150]) {
      const { mask, toPicture: t } = beside(() => 0, c, []);
      const below = (x: number, y: number) => {
        const [u, v] = [Math.round((x - t.c) / t.a), Math.round((y - t.f) / t.e)];
        return u >= 0 && u < 128 && v >= 0 && v < 128 && mask[v * 128 + u] === 255;
      };
      const shown = (level: number) => beside((x, y) => (below(x, y) ? level : 200 - (y % 7)), c, []).out;
      // A sample next to the mask is interpolated with the one below it: that much may differ, and no more.
      const [dark, bright] = [shown(20), shown(240)];
      const most = dark.reduce((worst, v, i) => Math.max(worst, Math.abs(v - bright[i]!)), 0);
      expect(most, `crop at ${c}`).toBeLessThan(ONE_TEXEL);
    }
  });

  it('takes nothing of a neighbour', () => {
    for (const roll of [0, 0.6]) {
      const other = { x: 20, width: 60, roll };
      const { known, toPicture: t } = beside(() => 0, 100, [other]);
      const free = Math.round((280 - t.c) / t.a);
      expect(known[64 * 128 + free]).toBe(255);
      const shown = (level: number) =>
        beside((x, y) => (x >= 20 && x < 80 && y >= 60 && y < 240 ? level : 200), 60, [other]).out;
      expect(shown(20)).toEqual(shown(240));
    }
  });
});
