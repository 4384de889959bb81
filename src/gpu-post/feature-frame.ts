import { CROP_SIZE } from '../core/face-track.ts';

export type Rgb = readonly [r: number, g: number, b: number];
/** A place in a frame: both in its widths. */
export type Place = readonly [along: number, below: number];

/** Steps in which curves are kept. */
const STEPS = 48;

/** A feature's own coordinates: from one corner to the other, and below that line. */
export class FeatureFrame {
  readonly x: number;
  readonly y: number;
  /** Unit vector from the first corner to the second. */
  readonly ax: number;
  readonly ay: number;
  /** Canonical pixels. */
  readonly width: number;
  readonly #points: Float32Array;

  /** @param points x y pairs, canonical-crop pixels @param first, second indices of the two corners, left to right as seen */
  constructor(points: Float32Array, first: number, second: number) {
    this.#points = points;
    this.x = points[2 * first]!;
    this.y = points[2 * first + 1]!;
    const [dx, dy] = [points[2 * second]! - this.x, points[2 * second + 1]! - this.y];
    this.width = Math.hypot(dx, dy);
    this.ax = dx / this.width;
    this.ay = dy / this.width;
  }

  along(x: number, y: number): number {
    return ((x - this.x) * this.ax + (y - this.y) * this.ay) / this.width;
  }

  below(x: number, y: number): number {
    return ((y - this.y) * this.ax - (x - this.x) * this.ay) / this.width;
  }

  place(index: number): Place {
    const [x, y] = [this.#points[2 * index]!, this.#points[2 * index + 1]!];
    return [this.along(x, y), this.below(x, y)];
  }

  at([along, below]: Place): readonly [x: number, y: number] {
    const { x, y, ax, ay, width } = this;
    return [x + width * (along * ax - below * ay), y + width * (along * ay + below * ax)];
  }

  /** How far below the line between the corners a lid or a lip lies, through these points and rounded at the ends. */
  curve(indices: readonly number[], ends: readonly [Place, Place] = [ORIGIN, END]): Curve {
    return new Curve([ends[0], ...indices.map((i) => this.place(i)), ends[1]]);
  }
}

const ORIGIN: Place = [0, 0];
const END: Place = [1, 0];

/** Height over the place along, from 0 to 1, in widths. */
export class Curve {
  readonly #heights = new Float32Array(STEPS + 2);

  constructor(knots: readonly Place[]) {
    const sorted = [...knots].sort((a, b) => a[0] - b[0]);
    for (let i = 0; i <= STEPS; i++) this.#heights[i] = smooth(sorted, i / STEPS);
    this.#heights[STEPS + 1] = this.#heights[STEPS]!;
  }

  at(along: number): number {
    const place = STEPS * (along < 0 ? 0 : along > 1 ? 1 : along);
    const i = place | 0;
    return this.#heights[i]! + (place - i) * (this.#heights[i + 1]! - this.#heights[i]!);
  }
}

/** Cubic Hermite through the knots with the slopes of their neighbours; the knots at the ends are corners. */
function smooth(knots: readonly Place[], along: number): number {
  const last = knots.length - 1;
  if (along <= knots[0]![0]) return knots[0]![1];
  if (along >= knots[last]![0]) return knots[last]![1];
  // Points that are no numbers have no order.
  const k = Math.max(0, knots.findIndex((knot) => knot[0] > along) - 1);
  const [a, b] = [knots[k]!, knots[k + 1]!];
  const step = Math.max(1e-3, b[0] - a[0]);
  const slopeOf = (p: Place, q: Place) => (q[1] - p[1]) / Math.max(0.05, q[0] - p[0]);
  const own = slopeOf(a, b);
  const from = k === 0 ? 1.5 * own : slopeOf(knots[k - 1]!, b);
  const to = k + 1 === last ? 1.5 * own : slopeOf(a, knots[k + 2]!);
  const t = (along - a[0]) / step;
  const [t2, t3] = [t * t, t * t * t];
  return (
    (2 * t3 - 3 * t2 + 1) * a[1] + (t3 - 2 * t2 + t) * step * from + (3 * t2 - 2 * t3) * b[1] + (t3 - t2) * step * to
  );
}

export const lumaOf = ([r, g, b]: Rgb): number => 0.299 * r + 0.587 * g + 0.114 * b;

/** 0 to 1, without corners. */
export const ramp = (value: number): number => (value <= 0 ? 0 : value >= 1 ? 1 : value * value * (3 - 2 * value));

/** Mean colour of a face (RGBA, size²) at these canonical pixels; `undefined` of fewer than `least`. */
export function meanColour(
  face: Uint8Array,
  size: number,
  places: readonly (readonly [x: number, y: number])[],
  least = 1,
): Rgb | undefined {
  const step = size / CROP_SIZE;
  const sum: [number, number, number] = [0, 0, 0];
  let count = 0;
  for (const [x, y] of places) {
    const [i, j] = [Math.round((x + 0.5) * step - 0.5), Math.round((y + 0.5) * step - 0.5)];
    if (!(i >= 0 && j >= 0 && i < size && j < size)) continue;
    for (let c = 0; c < 3; c++) sum[c]! += face[4 * (j * size + i) + c]!;
    count++;
  }
  return count < Math.max(1, least) ? undefined : [sum[0] / count, sum[1] / count, sum[2] / count];
}

/** The same colour at another luma. */
export function atLuma(colour: Rgb, luma: number): Rgb {
  const factor = luma / Math.max(1, lumaOf(colour));
  return [colour[0] * factor, colour[1] * factor, colour[2] * factor];
}

/** A grey of this luma with so much of the colour's own tint. */
export function tinted(colour: Rgb, luma: number, share: number): Rgb {
  const own = lumaOf(colour);
  return [luma + share * (colour[0] - own), luma + share * (colour[1] - own), luma + share * (colour[2] - own)];
}

/** Sides of what is drawn on, in pixels of the face. */
export interface Window {
  readonly x0: number;
  readonly y0: number;
  readonly x1: number;
  readonly y1: number;
  /** Pixels of the face per canonical pixel. */
  readonly step: number;
}

/** Box of pixels so many canonical ones around a place, within the face. */
export function windowAround(size: number, x: number, y: number, reachX: number, reachY: number): Window {
  const step = size / CROP_SIZE;
  const clip = (value: number) => Math.max(0, Math.min(size, Math.round(value * step)));
  return { x0: clip(x - reachX), y0: clip(y - reachY), x1: clip(x + reachX + 1), y1: clip(y + reachY + 1), step };
}
