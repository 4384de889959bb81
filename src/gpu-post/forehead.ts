import { CROP_SIZE } from '../core/face-track.ts';
import { ramp } from './feature-frame.ts';

const AREA = CROP_SIZE * CROP_SIZE;
/** Canonical pixels: above the brows, where nothing of them is left, and of skin from there on that is looked at. */
const ABOVE_BROWS = 4;
const SKIN_ROWS = 4;
/** Rows above the mask that tell what is there. */
const CONTEXT_ROWS = 3;
/** Canonical pixels over which neighbouring columns are averaged. */
const SMOOTH = 5;
/** Luma below what is expected from which on something is painted there, and over which it grows certain. */
const [DARKER, SURELY] = [9, 24];
/** Difference of chroma (red and blue over green, of skin and of what is above the forehead) up to which it may be skin or fair hair. */
const [LIKE, UNLIKE] = [0.25, 0.5];
/** Luma of what is above in that of the skin, up to which it is dark hair, and from which it may be skin or fair hair. */
const [HAIR, FAIR] = [0.6, 0.8];
/** Columns over which it ends towards the temples. */
const FADE = 5;

/** Per column the first row of the face, −1 where none is looked at, and the last row above the brows. */
const tops = new Int16Array(CROP_SIZE);
const bottoms = new Int16Array(CROP_SIZE);
const lows = new Float32Array(3 * CROP_SIZE);
const highs = new Float32Array(3 * CROP_SIZE);
const spare = new Float32Array(3 * CROP_SIZE);
const weights = new Float32Array(AREA);
const smoothed = new Float32Array(AREA);

/**
 * Takes hair from a finished face's forehead in place where there is none above it: of shaved, bald and fair people a network knows few, and paints a dark fringe. Where
 * what is seen above the mask and the skin above the brows are both lighter, and alike, what lies between them goes from the one to the other.
 * @param face RGBA, size² @param crop the picture, RGBA 128² @param known 128², not 0 where it may be looked at (`markKnown`)
 * @param driven points of the generated face, canonical-crop pixels
 */
export function clearForehead(
  face: Uint8Array,
  size: number,
  crop: Uint8Array,
  known: Uint8Array,
  driven: Float32Array,
): void {
  const [first, last] = measureColumns(known, driven);
  if (first > last) return;
  const step = size / CROP_SIZE;
  for (let x = first; x <= last; x++) if (tops[x]! >= 0) meanColours(face, size, crop, x);
  average(lows, first, last);
  average(highs, first, last);
  weights.fill(0);
  let painted = false;
  for (let x = first; x <= last; x++) {
    const [top, bottom] = [tops[x]!, bottoms[x]!];
    if (top < 0) continue;
    const fair = highs[3 * x + 1]! / Math.max(8, lows[3 * x + 1]!);
    const inwards = Math.min(1, (Math.min(x - first, last - x) + 1) / FADE);
    const alike = inwards * (1 - ramp((unlike(x) - LIKE) / (UNLIKE - LIKE))) * ramp((fair - HAIR) / (FAIR - HAIR));
    if (alike === 0) continue;
    for (let y = top; y <= bottom; y++) {
      const up = (bottom - y) / Math.max(1, bottom - top);
      const p = 4 * (y * step * size + x * step);
      const less = expected(x, 1, up) - face[p + 1]!;
      const weight = alike * ramp((less - DARKER) / SURELY);
      weights[y * CROP_SIZE + x] = weight;
      painted ||= weight > 0;
    }
  }
  if (!painted) return;
  const rows = Math.max(...bottoms.subarray(first, last + 1)) + 1;
  blur(weights, smoothed, rows);
  for (let j = 0; j < rows * step; j++) {
    for (let i = first * step; i < (last + 1) * step; i++) {
      const [x, y] = [Math.floor(i / step), Math.floor(j / step)];
      const weight = smoothed[y * CROP_SIZE + x]!;
      const [top, bottom] = [tops[x]!, bottoms[x]!];
      if (weight <= 0.01 || top < 0) continue;
      const up = Math.max(0, Math.min(1, (bottom - y) / Math.max(1, bottom - top)));
      for (let p = 4 * (j * size + i), c = 0; c < 3; c++) {
        const more = expected(x, c, up) - face[p + c]!;
        if (more > 0) face[p + c] = face[p + c]! + weight * more;
      }
    }
  }
}

/** Of the skin above the brows, and of what lies above the mask. */
function meanColours(face: Uint8Array, size: number, crop: Uint8Array, x: number): void {
  const step = size / CROP_SIZE;
  for (let c = 0; c < 3; c++) {
    let [low, high] = [0, 0];
    for (let k = 0; k < SKIN_ROWS; k++) low += face[4 * ((bottoms[x]! - k) * step * size + x * step) + c]!;
    for (let k = 1; k <= CONTEXT_ROWS; k++) high += crop[4 * ((tops[x]! - k) * CROP_SIZE + x) + c]!;
    lows[3 * x + c] = low / SKIN_ROWS;
    highs[3 * x + c] = high / CONTEXT_ROWS;
  }
}

const expected = (x: number, c: number, up: number): number =>
  lows[3 * x + c]! + up * (highs[3 * x + c]! - lows[3 * x + c]!);

function unlike(x: number): number {
  const of = (colours: Float32Array, c: number) => colours[3 * x + c]! / Math.max(8, colours[3 * x + 1]!);
  return Math.abs(of(lows, 0) - of(highs, 0)) + Math.abs(of(lows, 2) - of(highs, 2));
}

/**
 * Columns between the outer ends of the brows whose forehead is seen, with something of the picture above it.
 * @returns the first and the last of them; the last is below the first where there are too few
 */
function measureColumns(known: Uint8Array, points: Float32Array): readonly [number, number] {
  tops.fill(-1);
  bottoms.fill(-1);
  let [first, last, count] = [CROP_SIZE, -1, 0];
  for (let x = Math.ceil(points[34]!); x <= points[52]!; x++) {
    let k = 17;
    while (k < 25 && points[2 * k + 2]! < x) k++;
    const [x0, y0, x1, y1] = [points[2 * k]!, points[2 * k + 1]!, points[2 * k + 2]!, points[2 * k + 3]!];
    const share = Math.max(0, Math.min(1, (x - x0) / Math.max(0.5, x1 - x0)));
    const bottom = Math.floor(y0 + share * (y1 - y0) - ABOVE_BROWS);
    if (!(x >= 0 && x < CROP_SIZE && bottom >= SKIN_ROWS && bottom < CROP_SIZE)) continue;
    let top = bottom;
    while (top > 0 && known[(top - 1) * CROP_SIZE + x]! === 0) top--;
    if (bottom - top <= 2 * SKIN_ROWS || !seenAbove(known, x, top)) continue;
    [tops[x], bottoms[x]] = [top, bottom];
    first = Math.min(first, x);
    last = x;
    count++;
  }
  return count < 2 * SMOOTH ? [CROP_SIZE, -1] : [first, last];
}

function seenAbove(known: Uint8Array, x: number, top: number): boolean {
  for (let k = 1; k <= CONTEXT_ROWS; k++) if (!known[(top - k) * CROP_SIZE + x]) return false;
  return true;
}

/** Over the neighbours that there are: what lies between them is of an earlier face. */
function average(colours: Float32Array, first: number, last: number): void {
  spare.set(colours);
  for (let x = first; x <= last; x++) {
    if (tops[x]! < 0) continue;
    let [red, green, blue, count] = [0, 0, 0, 0];
    for (let k = Math.max(first, x - SMOOTH); k <= Math.min(last, x + SMOOTH); k++) {
      if (tops[k]! < 0) continue;
      red += spare[3 * k]!;
      green += spare[3 * k + 1]!;
      blue += spare[3 * k + 2]!;
      count++;
    }
    colours[3 * x] = red / count;
    colours[3 * x + 1] = green / count;
    colours[3 * x + 2] = blue / count;
  }
}

/** Means of 5×5, down to a row. */
function blur(from: Float32Array, to: Float32Array, rows: number): void {
  to.fill(0);
  for (let y = 2; y < Math.min(rows, CROP_SIZE - 2); y++)
    for (let x = 2; x < CROP_SIZE - 2; x++) {
      let sum = 0;
      for (let j = -2; j <= 2; j++) for (let i = -2; i <= 2; i++) sum += from[(y + j) * CROP_SIZE + x + i]!;
      to[y * CROP_SIZE + x] = sum / 25;
    }
}
