import { describe, expect, it } from 'vitest';
import { faceOutline, rasteriseMask } from '../../src/core/face-mask.ts';
import { CROP_SIZE } from '../../src/core/face-track.ts';
import { clearForehead } from '../../src/gpu-post/forehead.ts';
import { shapes } from '../support/shapes.ts';

const AREA = CROP_SIZE * CROP_SIZE;
const SKIN = [190, 150, 130] as const;
const HAIR = [50, 40, 35] as const;
const [points] = shapes(1, 3);
const mask = new Uint8Array(AREA);
rasteriseMask([faceOutline(points!)], mask);
const known = mask.map((value) => 255 - value);
const brows = Math.min(...Array.from({ length: 10 }, (_, i) => points![2 * (17 + i) + 1]!));
const middle = Math.round(points![2 * 27]!);
const top = mask.findIndex((value, i) => i % CROP_SIZE === middle && value !== 0) / CROP_SIZE;

const filled = (size: number, colour: readonly number[]): Uint8Array =>
  Uint8Array.from({ length: 4 * size * size }, (_, i) => (i % 4 === 3 ? 255 : colour[i % 4]!));

/** A face with hair painted on the upper half of its forehead. */
function fringed(size: number): Uint8Array {
  const step = size / CROP_SIZE;
  const face = filled(size, SKIN);
  const end = Math.round(((top + brows) / 2 - 2) * step) * size * 4;
  for (let i = 0; i < end; i++) if (i % 4 !== 3) face[i] = HAIR[i % 4]!;
  return face;
}

const green = (face: Uint8Array, size: number, x: number, y: number): number => {
  const step = size / CROP_SIZE;
  return face[4 * (Math.round(y * step) * size + Math.round(x * step)) + 1]!;
};

describe.each([128, 256])('the forehead of a face of %d pixels', (size) => {
  const among = top + 4;

  it('loses hair that was painted where skin goes on above', () => {
    const face = fringed(size);
    clearForehead(face, size, filled(CROP_SIZE, SKIN), known, points!);
    expect(green(face, size, middle, among)).toBeGreaterThan(140);
    // Brows and all below are left alone.
    const before = fringed(size);
    const from = 4 * size * Math.ceil(brows * (size / CROP_SIZE));
    expect(face.subarray(from)).toEqual(before.subarray(from));
  });

  it('keeps it where there is hair above, or something that is no skin', () => {
    for (const above of [HAIR, [60, 90, 200]]) {
      const face = fringed(size);
      clearForehead(face, size, filled(CROP_SIZE, above), known, points!);
      expect(face).toEqual(fringed(size));
    }
  });

  it('is not told by what may not be looked at', () => {
    // Skin there, but somebody else's: nothing of it is known.
    const face = fringed(size);
    clearForehead(face, size, filled(CROP_SIZE, SKIN), new Uint8Array(AREA), points!);
    expect(face).toEqual(fringed(size));
    const crop = filled(CROP_SIZE, HAIR);
    for (let i = 0; i < AREA; i++) if (mask[i]! !== 0) crop.set(SKIN, 4 * i);
    const other = fringed(size);
    clearForehead(other, size, crop, known, points!);
    expect(other).toEqual(fringed(size));
  });

  it('is left alone when points are no numbers', () => {
    const face = fringed(size);
    clearForehead(face, size, filled(CROP_SIZE, SKIN), known, new Float32Array(140).fill(Number.NaN));
    expect(face).toEqual(fringed(size));
  });
});
