import type { Affine } from '../core/face-track.ts';

// Apart from the loop over rows: V8 compiles for good what is called often. A loop that is one call a picture runs half interpreted for ever, and
// makes garbage of every number.

/**
 * Adds bilinear samples along a straight line to `count` numbers of `out` from `at` on, times `weight`; edge samples are repeated.
 * @param x of the first one on the plane, as `y` @param step by its `a` and `d` to the next one
 */
export function addSlantingRow(
  plane: Uint8Array,
  width: number,
  height: number,
  x: number,
  y: number,
  step: Affine,
  weight: number,
  out: Float32Array,
  at: number,
  count: number,
): void {
  const endX = x + step.a * (count - 1);
  const endY = y + step.d * (count - 1);
  const inside =
    Math.min(x, endX) >= 0 &&
    Math.max(x, endX) < width - 1 - 1e-3 &&
    Math.min(y, endY) >= 0 &&
    Math.max(y, endY) < height - 1 - 1e-3;
  if (inside) addInside(plane, width, x, y, step, weight, out, at, count);
  else addClamped(plane, width, height, x, y, step, weight, out, at, count);
}

/** The usual row lies inside the plane, and none of its samples needs to be asked. */
function addInside(
  plane: Uint8Array,
  pw: number,
  px: number,
  py: number,
  { a, d }: Affine,
  weight: number,
  out: Float32Array,
  at: number,
  count: number,
): void {
  for (const end = at + count; at < end; at++, px += a, py += d) {
    const x0 = px | 0;
    const y0 = py | 0;
    const fx = px - x0;
    const first = (Math.imul(y0, pw) + x0) | 0;
    const corner = plane[first]!;
    const low = plane[first + pw]!;
    const top = corner + (plane[first + 1]! - corner) * fx;
    const bottom = low + (plane[first + pw + 1]! - low) * fx;
    out[at]! += weight * (top + (bottom - top) * (py - y0));
  }
}

/** One that leaves it: the samples at the edge are repeated. */
function addClamped(
  plane: Uint8Array,
  pw: number,
  ph: number,
  px: number,
  py: number,
  { a, d }: Affine,
  weight: number,
  out: Float32Array,
  at: number,
  count: number,
): void {
  const maxX = pw - 1;
  const maxY = ph - 1;
  for (const end = at + count; at < end; at++, px += a, py += d) {
    const x = px < 0 ? 0 : px > maxX ? maxX : px;
    const y = py < 0 ? 0 : py > maxY ? maxY : py;
    const x0 = x | 0;
    const y0 = y | 0;
    const fx = x - x0;
    const first = (Math.imul(y0, pw) + x0) | 0;
    const right = x0 < maxX ? 1 : 0;
    const below = y0 < maxY ? pw : 0;
    const corner = plane[first]!;
    const low = plane[first + below]!;
    const top = corner + (plane[first + right]! - corner) * fx;
    const bottom = low + (plane[first + below + right]! - low) * fx;
    out[at]! += weight * (top + (bottom - top) * (y - y0));
  }
}
