import { type Affine, CROP_SIZE } from '../core/face-track.ts';

/** Mean of points [from, to). */
export function meanPoint(points: Float32Array, from: number, to: number): { x: number; y: number } {
  let x = 0;
  let y = 0;
  for (let i = from; i < to; i++) {
    x += points[2 * i]!;
    y += points[2 * i + 1]!;
  }
  return { x: x / (to - from), y: y / (to - from) };
}

/** Distance of the eye centres. */
export function interOcular(points: Float32Array): number {
  const left = meanPoint(points, 36, 42);
  const right = meanPoint(points, 42, 48);
  return Math.hypot(right.x - left.x, right.y - left.y);
}

/** In-plane roll of the eye line in radians, clockwise as seen. */
export function rollOf(points: Float32Array): number {
  const left = meanPoint(points, 36, 42);
  const right = meanPoint(points, 42, 48);
  return Math.atan2(right.y - left.y, right.x - left.x);
}

/**
 * The generator's aligned crop (docs/architecture.md, "The generator's contract") for 68 points in picture pixels;
 * a similarity without mirroring. `undefined` for points without extent.
 */
export function canonicalToPicture(points: Float32Array): Affine | undefined {
  const left = meanPoint(points, 36, 42);
  const right = meanPoint(points, 42, 48);
  const eyeX = (left.x + right.x) / 2;
  const eyeY = (left.y + right.y) / 2;
  const ex = right.x - left.x;
  const ey = right.y - left.y;
  const mx = (points[96]! + points[108]!) / 2 - eyeX;
  const my = (points[97]! + points[109]!) / 2 - eyeY;
  const length = Math.hypot(ex + my, ey - mx);
  const side = 3.4 * Math.max(Math.hypot(ex, ey), 0.93 * Math.hypot(mx, my));
  if (!(length > 1e-6) || !(side > 1e-3) || !Number.isFinite(side)) return undefined;
  const ux = (ex + my) / length;
  const uy = (ey - mx) / length;
  const a = (ux * side) / CROP_SIZE;
  const d = (uy * side) / CROP_SIZE;
  const half = CROP_SIZE / 2;
  // The y-axis is the x-axis turned by a quarter: (−uy, ux).
  return { a, b: -d, c: eyeX + 0.28 * mx - half * (a - d), d, e: a, f: eyeY + 0.28 * my - half * (d + a) };
}

export function invert(t: Affine): Affine {
  const det = t.a * t.e - t.b * t.d;
  const a = t.e / det;
  const b = -t.b / det;
  const d = -t.d / det;
  const e = t.a / det;
  return { a, b, c: -(a * t.c + b * t.f), d, e, f: -(d * t.c + e * t.f) };
}

/** Maps x y pairs; numbers at or below −1000 mark unknown points and stay. */
export function mapPoints(t: Affine, from: Float32Array, to = new Float32Array(from.length)): Float32Array {
  for (let i = 0; i < from.length; i += 2) {
    const x = from[i]!;
    const y = from[i + 1]!;
    if (x <= -1000) {
      to[i] = -1000;
      to[i + 1] = -1000;
    } else {
      to[i] = t.a * x + t.b * y + t.c;
      to[i + 1] = t.d * x + t.e * y + t.f;
    }
  }
  return to;
}

/** Side of one canonical pixel in picture pixels. */
export function scaleOf(t: Affine): number {
  return Math.hypot(t.a, t.d);
}

/** The crop carried along when its face's box moves from one place to another: translation and scale. */
export function moved(t: Affine, from: { x: number; y: number }, to: { x: number; y: number }, scale: number): Affine {
  return {
    a: t.a * scale,
    b: t.b * scale,
    c: to.x + (t.c - from.x) * scale,
    d: t.d * scale,
    e: t.e * scale,
    f: to.y + (t.f - from.y) * scale,
  };
}
