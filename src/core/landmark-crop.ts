import type { Region } from './face-track.ts';
import type { SquareCrop } from './vision.ts';

/** First pass: side over the box's height, and how far the centre lies below the box's, in sides. */
const BOX_SIDE = 0.9;
const BOX_DOWN = 0.11;
/** Second pass and following: side over the points' height, and how far the centre lies above theirs, in sides. */
const POINTS_SIDE = 1.15;
const POINTS_UP = 0.04;

/**
 * The square the landmark model was calibrated on, from a detector's box.
 * @param angle roll of the face in radians, clockwise as seen: the box's height is measured along the face
 */
export function cropFromBox(box: Region, angle = 0): SquareCrop {
  const lying = Math.abs(Math.sin(angle)) > Math.SQRT1_2;
  const side = BOX_SIDE * (lying ? box.width : box.height);
  const down = BOX_DOWN * side;
  return {
    cx: box.x + box.width / 2 - Math.sin(angle) * down,
    cy: box.y + box.height / 2 + Math.cos(angle) * down,
    side,
    angle,
  };
}

/** The square around points already found (x y pairs, picture pixels), upright along `angle`. */
export function cropFromPoints(points: Float32Array, angle = 0, count = 68): SquareCrop {
  const cos = Math.cos(angle);
  const sin = Math.sin(angle);
  let left = Infinity;
  let right = -Infinity;
  let top = Infinity;
  let bottom = -Infinity;
  for (let i = 0; i < count; i++) {
    const x = points[2 * i]! * cos + points[2 * i + 1]! * sin;
    const y = points[2 * i + 1]! * cos - points[2 * i]! * sin;
    left = Math.min(left, x);
    right = Math.max(right, x);
    top = Math.min(top, y);
    bottom = Math.max(bottom, y);
  }
  const side = POINTS_SIDE * (bottom - top);
  const u = (left + right) / 2;
  const v = (top + bottom) / 2 - POINTS_UP * side;
  return { cx: u * cos - v * sin, cy: u * sin + v * cos, side, angle };
}
