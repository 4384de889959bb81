import type { EyeCrop, Picture, PupilFinder, SquareCrop } from '../core/vision.ts';
import { meanPoint } from './canonical.ts';

/** Side of the eye's square over the distance of its corners, as the iris network was trained. */
const EYE_SIDE = 2.3;
/** Mean lid distance over corner distance below which an eye is closed. */
const CLOSED = 0.13;
/** A pupil lies within this many corner distances of the eye's centre. */
const MAX_AWAY = 0.5;
const UNKNOWN = -1000;

function distance(points: Float32Array, i: number, j: number): number {
  return Math.hypot(points[2 * i]! - points[2 * j]!, points[2 * i + 1]! - points[2 * j + 1]!);
}

/** Opening of the eye whose first point is `from` (36: picture's left, 42: picture's right). */
export function eyeOpening(points: Float32Array, from: number): number {
  const lids = (distance(points, from + 1, from + 5) + distance(points, from + 2, from + 4)) / 2;
  return lids / Math.max(1e-3, distance(points, from, from + 3));
}

export function eyeSquare(points: Float32Array, from: number, roll: number): SquareCrop {
  const { x, y } = meanPoint(points, from, from + 6);
  return { cx: x, cy: y, side: EYE_SIDE * distance(points, from, from + 3), angle: roll };
}

/** An eye that is open, its square, and which of the two it is (0: picture's left). */
export interface OpenEye extends EyeCrop {
  readonly index: 0 | 1;
}

export function openEyes(points: Float32Array, roll: number): OpenEye[] {
  return ([0, 1] as const).flatMap((index) => {
    const from = 36 + 6 * index;
    const eye = index === 0 ? ('left' as const) : ('right' as const);
    return eyeOpening(points, from) < CLOSED ? [] : [{ ...eyeSquare(points, from, roll), eye, index }];
  });
}

/** Pupils of the given eyes, picture's left first: 4 numbers in picture pixels, −1000 where unknown or the eye is not given. */
export async function findPupils(
  finder: PupilFinder,
  picture: Picture,
  eyes: readonly OpenEye[],
): Promise<Float32Array> {
  const pupils = new Float32Array(4).fill(UNKNOWN);
  if (eyes.length === 0) return pupils;
  // Without an answer the gaze is unknown; the face is covered all the same.
  const found = await finder.find(picture, eyes).catch(() => []);
  for (const [i, { cx, cy, side, index }] of eyes.entries()) {
    const pupil = found[i];
    if (!pupil || Math.hypot(pupil.x - cx, pupil.y - cy) > (MAX_AWAY * side) / EYE_SIDE) continue;
    pupils[2 * index] = pupil.x;
    pupils[2 * index + 1] = pupil.y;
  }
  return pupils;
}
