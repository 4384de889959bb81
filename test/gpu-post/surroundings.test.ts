import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { CROP_SIZE } from '../../src/core/face-track.ts';
import { Surroundings } from '../../src/gpu-post/surroundings.ts';

const AREA = CROP_SIZE * CROP_SIZE;
const EYES_Y = 50;

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
        const [first, second] = [new Uint8Array(4 * AREA), new Uint8Array(4 * AREA)];
        surroundings.fill(
          filled((i) => (mask[i] ? [90, 60, 40] : around(i))),
          mask,
          points,
          first,
        );
        surroundings.fill(
          filled((i) => (mask[i] ? noise(i) : around(i))),
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
      mask,
      points,
      out,
    );
    const pixel = (x: number, y: number) => [...out.subarray(4 * (y * CROP_SIZE + x), 4 * (y * CROP_SIZE + x) + 4)];
    expect(pixel(64 - 42, 64)).toEqual([200, 180, 160, 0]);
    expect(pixel(64, 56 + 55)).toEqual([200, 180, 160, 0]);
    expect(pixel(64, 80)[3]).toBe(255);
    expect(pixel(64 - 36, 34)[3]).toBe(255);
  });
});
