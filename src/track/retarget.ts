import { CROP_SIZE } from '../core/face-track.ts';
import { keyedNormals } from '../core/keyed-random.ts';
import { interOcular, meanPoint } from './canonical.ts';
import type { ShapeModel } from './shape-model.ts';

/**
 * Groups whose shape is expression: each is moved as a whole and its width scaled a little, and keeps its own form. A mouth
 * that got another's corners would smile another's smile. [from, to) in iBUG indices.
 */
const EXPRESSIVE = [
  { from: 17, to: 22, width: 0.06, rise: 0.03 },
  { from: 22, to: 27, width: 0.06, rise: 0.03 },
  { from: 36, to: 42, width: 0.06, rise: 0.12 },
  { from: 42, to: 48, width: 0.06, rise: 0.12 },
  { from: 48, to: 68, width: 0.05, rise: 0.12 },
] as const;
/**
 * Inter-ocular distances. A contour that lies further inside one's own leaves a rim that is neither face nor background; one that lies
 * further outside paints cheeks over neck, hair and ears, with an edge where none was.
 */
const MAX_NARROWING = 0.02;
const MAX_WIDENING = 0.02;
/** Understudies' shapes differ by this part of what people's do: at 1 the mouth and the jaw are a caricature's now and then. */
const SHAPE_SPREAD = 0.7;
/** Time in which the offset goes most of the way to a new target: a median that jumps must not be seen. */
const SETTLE_SECONDS = 0.7;

/** iBUG index of the same point on the other half of the face. */
const MIRROR = Uint8Array.from(
  [
    [16, 15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0, 26, 25, 24, 23, 22, 21, 20, 19, 18, 17, 27, 28, 29, 30],
    [
      35, 34, 33, 32, 31, 45, 44, 43, 42, 47, 46, 39, 38, 37, 36, 41, 40, 54, 53, 52, 51, 50, 49, 48, 59, 58, 57, 56,
      55,
    ],
    [64, 63, 62, 61, 60, 67, 66, 65],
  ].flat(),
);

/** The part of a shape that does not change in a mirror: what turning the head adds is left out. */
export function symmetric(points: Float32Array): Float32Array {
  const result = new Float32Array(136);
  for (let i = 0; i < 68; i++) {
    const j = MIRROR[i]!;
    result[2 * i] = (points[2 * i]! + CROP_SIZE - points[2 * j]!) / 2;
    result[2 * i + 1] = (points[2 * i + 1]! + points[2 * j + 1]!) / 2;
  }
  return result;
}

/** The neutral shape of one person's understudy, mirror-symmetric: 136 numbers in canonical-crop pixels. */
export function understudyShape(model: ShapeModel, sessionKey: Uint8Array, personId: number): Float32Array {
  const normals = keyedNormals(sessionKey, `shape:${personId}`, model.sigma.length);
  return symmetric(model.shape(normals.map((v) => v * SHAPE_SPREAD)));
}

const limit = (value: number, most: number): number => Math.max(-most, Math.min(most, value));

/**
 * What has to be added to a face's points so that its resting shape becomes the understudy's. 136 numbers.
 * @param cap largest offset in inter-ocular distances
 */
export function retargetOffset(understudy: Float32Array, ownNeutral: Float32Array, cap: number): Float32Array {
  const own = symmetric(ownNeutral);
  const eyes = interOcular(ownNeutral);
  const offset = Float32Array.from(understudy, (v, i) => v - own[i]!);
  for (const group of EXPRESSIVE) moveAsOne(offset, understudy, own, group, eyes);
  keepContour(offset, own, MAX_NARROWING * eyes, MAX_WIDENING * eyes);
  for (let i = 0; i < 68; i++) {
    const length = Math.hypot(offset[2 * i]!, offset[2 * i + 1]!);
    const factor = length > cap * eyes ? (cap * eyes) / length : 1;
    offset[2 * i] = offset[2 * i]! * factor;
    offset[2 * i + 1] = offset[2 * i + 1]! * factor;
  }
  return offset;
}

/**
 * Keeps the contour (points 0 to 16) near one's own, seen from the middle of the face: not each point near where it was, which may slide
 * along, but the line they are on.
 */
function keepContour(offset: Float32Array, own: Float32Array, inward: number, outward: number): void {
  const middle = meanPoint(own, 27, 36);
  for (let i = 0; i <= 16; i++) {
    const x = own[2 * i]! + offset[2 * i]! - middle.x;
    const y = own[2 * i + 1]! + offset[2 * i + 1]! - middle.y;
    const length = Math.hypot(x, y) || 1;
    const there =
      contourDistance(own, middle, x / length, y / length) ??
      Math.hypot(own[2 * i]! - middle.x, own[2 * i + 1]! - middle.y);
    const excess = length - Math.max(there - inward, Math.min(there + outward, length));
    offset[2 * i] = offset[2 * i]! - (excess * x) / length;
    offset[2 * i + 1] = offset[2 * i + 1]! - (excess * y) / length;
  }
}

/** How far from `middle` in the direction (x, y), of length 1, the contour is; undefined beyond its ends. */
function contourDistance(
  own: Float32Array,
  middle: { x: number; y: number },
  x: number,
  y: number,
): number | undefined {
  let farthest: number | undefined;
  for (let i = 0; i < 16; i++) {
    const [ax, ay] = [own[2 * i]! - middle.x, own[2 * i + 1]! - middle.y];
    const [ex, ey] = [own[2 * i + 2]! - middle.x - ax, own[2 * i + 3]! - middle.y - ay];
    const across = x * ey - y * ex;
    if (Math.abs(across) < 1e-9) continue;
    const along = (ax * y - ay * x) / across;
    const distance = (ax * ey - ay * ex) / across;
    if (along >= 0 && along <= 1 && distance > (farthest ?? 0)) farthest = distance;
  }
  return farthest;
}

function moveAsOne(
  offset: Float32Array,
  understudy: Float32Array,
  own: Float32Array,
  group: (typeof EXPRESSIVE)[number],
  eyes: number,
): void {
  const { from, to } = group;
  const here = meanPoint(own, from, to);
  const there = meanPoint(understudy, from, to);
  const scale = 1 + limit(spread(understudy, from, to) / Math.max(1e-3, spread(own, from, to)) - 1, group.width);
  const rise = limit(there.y - here.y, group.rise * eyes);
  for (let i = from; i < to; i++) {
    const wider = (own[2 * i]! - here.x) * (scale - 1);
    offset[2 * i] = there.x - here.x + wider;
    offset[2 * i + 1] = rise;
  }
}

/** Extent along x. */
function spread(points: Float32Array, from: number, to: number): number {
  let [left, right] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (let i = from; i < to; i++) {
    left = Math.min(left, points[2 * i]!);
    right = Math.max(right, points[2 * i]!);
  }
  return right - left;
}

/** The offset of one FaceTrack over time. */
export class Retargeter {
  #offset: Float32Array | undefined;

  /** Glides towards `target`; the first one is taken at once. @param dt seconds since the last call */
  settle(target: Float32Array, dt: number): void {
    if (!this.#offset) {
      this.#offset = Float32Array.from(target);
      return;
    }
    const share = 1 - Math.exp(-Math.max(0, dt) / SETTLE_SECONDS);
    for (let i = 0; i < target.length; i++)
      this.#offset[i] = this.#offset[i]! + share * (target[i]! - this.#offset[i]!);
  }

  /** @param own 140 numbers, canonical-crop pixels; pupils move with their eyes, unknown ones stay unknown */
  apply(own: Float32Array): Float32Array {
    const driven = Float32Array.from(own);
    const offset = this.#offset;
    if (!offset) return driven;
    for (let i = 0; i < 136; i++) driven[i] = driven[i]! + offset[i]!;
    for (const [pupil, from] of [
      [68, 36],
      [69, 42],
    ] as const) {
      if (own[2 * pupil]! <= -1000) continue;
      const shift = meanPoint(offset, from, from + 6);
      driven[2 * pupil] = driven[2 * pupil]! + shift.x;
      driven[2 * pupil + 1] = driven[2 * pupil + 1]! + shift.y;
    }
    return driven;
  }
}
