import { describe, expect, it } from 'vitest';
import { CROP_SIZE } from '../../src/core/face-track.ts';
import { cleanRim } from '../../src/gpu-post/clean-rim.ts';

const MIDDLE = 63.5;
const RADIUS = 40;

/** How far inside a disc every canonical pixel is, in A, its upper part all inside: what `Surroundings` gives. */
function disc(): Uint8Array {
  const out = new Uint8Array(4 * CROP_SIZE * CROP_SIZE);
  for (let i = 0; i < CROP_SIZE * CROP_SIZE; i++) {
    const [x, y] = [(i % CROP_SIZE) - MIDDLE, Math.floor(i / CROP_SIZE) - MIDDLE];
    const inside = (RADIUS - Math.hypot(x, y)) / 7 + 0.5;
    out[4 * i + 3] = y < -10 ? 255 : Math.round(255 * Math.max(0, Math.min(1, inside)));
  }
  return out;
}

/** Skin of 150 before a background of 90; a line of so many canonical pixels along the disc's edge. */
function face(size: number, line: number, luma: number): Uint8Array {
  const step = size / CROP_SIZE;
  return Uint8Array.from({ length: 4 * size * size }, (_, i) => {
    if (i % 4 === 3) return 255;
    const pixel = i >> 2;
    const [x, y] = [((pixel % size) + 0.5) / step - 0.5, (Math.floor(pixel / size) + 0.5) / step - 0.5];
    const r = Math.hypot(x - MIDDLE, y - MIDDLE);
    if (Math.abs(r - RADIUS) < line / 2) return luma;
    return r < RADIUS ? 150 : 90;
  });
}

const at = (rgba: Uint8Array, size: number, x: number, y: number): number => {
  const step = size / CROP_SIZE;
  return rgba[4 * (Math.round(y * step) * size + Math.round(x * step))]!;
};

describe.each([128, 256])('the outline of a face of %d pixels', (size) => {
  it.each([20, 240])('loses a line of luma %d', (luma) => {
    const drawn = face(size, 3, luma);
    cleanRim(drawn, size, disc());
    for (const angle of [0.1, 0.8, 1.57, 2.3]) {
      const [x, y] = [MIDDLE + RADIUS * Math.cos(angle), MIDDLE + RADIUS * Math.sin(angle)];
      const value = at(drawn, size, x, y);
      expect(value, `at ${angle}`).toBeGreaterThan(65);
      expect(value, `at ${angle}`).toBeLessThan(175);
    }
    // Above the eyes hair begins: nothing is touched there.
    expect(at(drawn, size, MIDDLE, MIDDLE - RADIUS)).toBe(luma);
  });

  it('keeps its edge, and everything away from it', () => {
    const before = face(size, 0, 0);
    const drawn = Uint8Array.from(before);
    cleanRim(drawn, size, disc());
    expect(at(drawn, size, MIDDLE, MIDDLE + RADIUS - 3)).toBeGreaterThan(140);
    expect(at(drawn, size, MIDDLE, MIDDLE + RADIUS + 3)).toBeLessThan(100);
    const line = face(size, 3, 20);
    cleanRim(line, size, disc());
    const untouched = face(size, 3, 20);
    for (const [x, y] of [
      [MIDDLE, MIDDLE],
      [MIDDLE, 40],
      [20, 20],
      [MIDDLE, 125],
    ] as const)
      expect(at(line, size, x, y)).toBe(at(untouched, size, x, y));
  });

  it('is left alone where none is drawn', () => {
    const everywhere = new Uint8Array(4 * CROP_SIZE * CROP_SIZE).fill(255);
    const drawn = face(size, 3, 20);
    cleanRim(drawn, size, everywhere);
    expect(drawn).toEqual(face(size, 3, 20));
  });
});
