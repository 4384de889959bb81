import { CROP_SIZE } from '../core/face-track.ts';

const DILATION = 3.5;
/** How far the forehead lies beyond brow and temple points, in chin-to-brow vectors. */
const FOREHEAD = 0.32;
const TEMPLE = 0.22;
const BROWS = [18, 19, 20, 23, 24, 25];
const TEMPLES = [17, 26];

/** Convex outline of the 68 points and the forehead above them: x y pairs, canonical-crop pixels. */
export function faceOutline(points: Float32Array): number[] {
  const upX = (points[38]! + points[48]!) / 2 - points[16]!;
  const upY = (points[39]! + points[49]!) / 2 - points[17]!;
  const all: [number, number][] = [];
  for (let i = 0; i < 68; i++) all.push([points[2 * i]!, points[2 * i + 1]!]);
  for (const i of BROWS) all.push([points[2 * i]! + FOREHEAD * upX, points[2 * i + 1]! + FOREHEAD * upY]);
  for (const i of TEMPLES) all.push([points[2 * i]! + TEMPLE * upX, points[2 * i + 1]! + TEMPLE * upY]);
  return convexHull(all).flat();
}

/** Andrew's monotone chain (1979). */
function convexHull(points: [number, number][]): [number, number][] {
  const sorted = points.sort((a, b) => a[0] - b[0] || a[1] - b[1]);
  const half = (order: [number, number][]) => {
    const chain: [number, number][] = [];
    for (const p of order) {
      while (chain.length >= 2) {
        const [a, b] = [chain.at(-2)!, chain.at(-1)!];
        if ((b[0] - a[0]) * (p[1] - a[1]) - (b[1] - a[1]) * (p[0] - a[0]) > 0) break;
        chain.pop();
      }
      chain.push(p);
    }
    chain.pop();
    return chain;
  };
  return [...half(sorted), ...half([...sorted].reverse())];
}

/**
 * Fills 255 where the face is replaced: every pixel nearer than 3.5 px to one of the outlines' insides.
 * @param out 128² bytes, overwritten
 */
export function rasteriseMask(outlines: readonly number[][], out: Uint8Array): void {
  out.fill(0);
  for (const outline of outlines) {
    const n = outline.length / 2;
    for (let y = 0; y < CROP_SIZE; y++) {
      for (let x = 0; x < CROP_SIZE; x++) {
        if (out[y * CROP_SIZE + x]) continue;
        if (distance(outline, n, x, y) <= DILATION) out[y * CROP_SIZE + x] = 255;
      }
    }
  }
}

/** Distance to a convex polygon, 0 inside. */
function distance(p: number[], n: number, x: number, y: number): number {
  let inside = true;
  let nearest = Number.POSITIVE_INFINITY;
  for (let i = 0; i < n; i++) {
    const j = i + 1 < n ? i + 1 : 0;
    const ax = p[2 * i]!;
    const ay = p[2 * i + 1]!;
    const vx = p[2 * j]! - ax;
    const vy = p[2 * j + 1]! - ay;
    const wx = x - ax;
    const wy = y - ay;
    if (vx * wy - vy * wx >= 0) continue;
    inside = false;
    const t = Math.max(0, Math.min(1, (wx * vx + wy * vy) / (vx * vx + vy * vy || 1)));
    nearest = Math.min(nearest, (wx - t * vx) ** 2 + (wy - t * vy) ** 2);
  }
  return inside ? 0 : Math.sqrt(nearest);
}
