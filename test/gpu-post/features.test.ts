import { describe, expect, it } from 'vitest';
import { CROP_SIZE } from '../../src/core/face-track.ts';
import { drawEyes } from '../../src/gpu-post/eyes.ts';
import { drawMouth } from '../../src/gpu-post/mouth.ts';
import { shapes } from '../support/shapes.ts';

const SKIN = [190, 150, 130] as const;
const [face] = shapes(1, 3);

/** A plausible face with eyes and mouth this far open (widths of theirs) and a gaze to the side (widths of an eye). */
function points(eyes: number, mouth: number, gaze = 0): Float32Array {
  const out = Float32Array.from(face!);
  for (const [left, right, upper, lower, pupil] of [
    [36, 39, [37, 38], [41, 40], 68],
    [42, 45, [43, 44], [47, 46], 69],
  ] as const) {
    const width = out[2 * right]! - out[2 * left]!;
    const y = (out[2 * left + 1]! + out[2 * right + 1]!) / 2;
    for (const corner of [left, right]) out[2 * corner + 1] = y;
    for (const [k, i] of upper.entries())
      out.set([out[2 * left]! + (0.33 + 0.33 * k) * width, y - (eyes * width) / 2], 2 * i);
    for (const [k, i] of lower.entries())
      out.set([out[2 * left]! + (0.33 + 0.33 * k) * width, y + (eyes * width) / 2], 2 * i);
    out.set([(out[2 * left]! + out[2 * right]!) / 2 + gaze * width, y], 2 * pupil);
  }
  const [x0, x1] = [out[96]!, out[108]!];
  const width = x1 - x0;
  const y = (out[97]! + out[109]!) / 2;
  const at = (i: number, along: number, below: number) => out.set([x0 + along * width, y + below * width], 2 * i);
  at(48, 0, 0);
  at(54, 1, 0);
  at(60, 0.08, 0);
  at(64, 0.92, 0);
  for (const [k, i] of [61, 62, 63].entries()) at(i, 0.3 + 0.2 * k, -0.3 * mouth);
  for (const [k, i] of [67, 66, 65].entries()) at(i, 0.3 + 0.2 * k, 0.7 * mouth);
  for (const [k, i] of [49, 50, 51, 52, 53].entries()) at(i, 0.16 + 0.17 * k, -0.3 * mouth - 0.12);
  for (const [k, i] of [59, 58, 57, 56, 55].entries()) at(i, 0.16 + 0.17 * k, 0.7 * mouth + 0.15);
  return out;
}

function skin(size: number, colour: readonly number[] = SKIN): Uint8Array {
  return Uint8Array.from({ length: 4 * size * size }, (_, i) => (i % 4 === 3 ? 255 : colour[i % 4]!));
}

function luma(rgba: Uint8Array, size: number, x: number, y: number): number {
  const step = size / CROP_SIZE;
  const p = 4 * (Math.round((y + 0.5) * step - 0.5) * size + Math.round((x + 0.5) * step - 0.5));
  return 0.299 * rgba[p]! + 0.587 * rgba[p + 1]! + 0.114 * rgba[p + 2]!;
}

const changed = (rgba: Uint8Array, before: Uint8Array): number => rgba.filter((v, i) => v !== before[i]).length;

describe.each([128, 256])('eyes of a face of %d pixels', (size) => {
  it.each([-0.15, 0, 0.15])('look where the person looks: %d widths aside', (gaze) => {
    const shape = points(0.32, 0, gaze);
    const drawn = skin(size);
    drawEyes(drawn, shape);
    for (const [left, pupil] of [
      [36, 68],
      [42, 69],
    ] as const) {
      const [x, y] = [shape[2 * pupil]!, shape[2 * pupil + 1]!];
      const width = shape[2 * left + 6]! - shape[2 * left]!;
      // The pupil is the darkest, the white beside the iris the lightest.
      expect(luma(drawn, size, x, y)).toBeLessThan(60);
      const white = x - Math.sign(gaze || 1) * 0.3 * width;
      expect(luma(drawn, size, white, y)).toBeGreaterThan(luma(drawn, size, x, y) + 70);
    }
  });

  it('are skin and lashes when shut', () => {
    const shape = points(0.03, 0);
    const drawn = skin(size);
    // An eye as a network paints it whatever it is told.
    const [x, y] = [shape[136]!, shape[137]!];
    const step = size / CROP_SIZE;
    for (let j = -3 * step; j <= 3 * step; j++)
      for (let i = -3 * step; i <= 3 * step; i++) {
        const p = 4 * ((Math.round(y * step) + j) * size + Math.round(x * step) + i);
        drawn.fill(20, p, p + 3);
      }
    drawEyes(drawn, shape);
    expect(luma(drawn, size, x, y - 2.5)).toBeGreaterThan(110);
    expect(luma(drawn, size, x, y - 0.3)).toBeLessThan(luma(drawn, size, x, y - 2.5) - 30);
  });

  it('are left as they are but for lashes when nobody knows where they look', () => {
    const unknown = points(0.32, 0);
    const [x, y] = [unknown[136]!, unknown[137]!];
    unknown.fill(-1000, 136);
    const drawn = skin(size);
    drawEyes(drawn, unknown);
    expect(luma(drawn, size, x, y + 1)).toBe(luma(skin(size), size, x, y + 1));
    expect(luma(drawn, size, x, unknown[2 * 37 + 1]!)).toBeLessThan(luma(skin(size), size, x, y));
    const broken = points(0.32, 0);
    broken.fill(Number.NaN, 72, 96);
    const other = skin(size);
    drawEyes(other, broken);
    expect(changed(other, skin(size))).toBe(0);
  });

  it('are drawn between the lids, lashes just above, and nowhere else', () => {
    const shape = points(0.32, 0);
    const drawn = skin(size);
    drawEyes(drawn, shape);
    const before = skin(size);
    const step = size / CROP_SIZE;
    for (let p = 0; p < drawn.length; p += 4) {
      if (drawn[p] === before[p]) continue;
      const [x, y] = [((p / 4) % size) / step, Math.floor(p / 4 / size) / step];
      const within = [36, 42].some((left) => {
        const [x0, x1, y0] = [shape[2 * left]!, shape[2 * left + 6]!, shape[2 * left + 1]!];
        return x > x0 - 1 && x < x1 + 1 && Math.abs(y - y0) < 0.16 * 1.3 * (x1 - x0) + 3.5;
      });
      expect(within, `${x}, ${y}`).toBe(true);
    }
  });

  it('are brown in dark skin, and never lighter than it', () => {
    const drawn = skin(size, [70, 50, 42]);
    const shape = points(0.32, 0);
    drawEyes(drawn, shape);
    const width = shape[2 * 39]! - shape[2 * 36]!;
    expect(luma(drawn, size, shape[136]! + 0.12 * width, shape[137]!)).toBeLessThan(45);
  });
});

describe.each([128, 256])('the mouth of a face of %d pixels', (size) => {
  it('shows teeth above the dark when it is open, and reddish dark', () => {
    const shape = points(0.3, 0.4);
    const drawn = skin(size);
    drawMouth(drawn, shape);
    const [x, top, bottom] = [shape[124]!, shape[125]!, shape[133]!];
    const teeth = luma(drawn, size, x, top + 2.5);
    const dark = luma(drawn, size, x, top + 0.55 * (bottom - top));
    expect(teeth).toBeGreaterThan(110);
    expect(dark).toBeLessThan(80);
    const step = size / CROP_SIZE;
    const p = 4 * (Math.round((bottom - 2.5) * step) * size + Math.round(x * step));
    expect(drawn[p]! / drawn[p + 1]!).toBeGreaterThan(1.6);
  });

  it('is left as it is when shut, seen from the side, or unknown', () => {
    const cases = [points(0.3, 0.02), points(0.3, 0.4), points(0.3, 0.4)];
    for (let i = 48; i < 68; i++) cases[1]![2 * i] = 64 + 0.3 * (cases[1]![2 * i]! - 64);
    cases[2]!.fill(Number.NaN, 96, 136);
    for (const shape of cases) {
      const drawn = skin(size);
      drawMouth(drawn, shape);
      expect(changed(drawn, skin(size))).toBe(0);
    }
  });

  it('hides teeth when lips are pursed', () => {
    const shape = points(0.3, 0.5);
    const middle = (shape[96]! + shape[108]!) / 2;
    for (let i = 48; i < 68; i++) shape[2 * i] = middle + 0.66 * (shape[2 * i]! - middle);
    const drawn = skin(size);
    drawMouth(drawn, shape);
    expect(luma(drawn, size, middle, shape[125]! + 3)).toBeLessThan(100);
  });
});
