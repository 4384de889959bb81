import { CROP_SIZE } from './face-track.ts';

const DILATION = 3.5;
/** Points that move by this much about where they rest are taken for noise, canonical pixels. */
const NOISE_PX = 0.75;
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

const leftEdge = new Float32Array(CROP_SIZE);
const rightEdge = new Float32Array(CROP_SIZE);

/**
 * Fills 255 where the face is replaced: every pixel nearer than `dilation` to one of the outlines' insides. A convex outline
 * widened by a disc (Minkowski sum) is convex again: one run of pixels a row, bounded by discs and shifted edges.
 * @param out 128² bytes, overwritten
 */
export function rasteriseMask(outlines: readonly number[][], out: Uint8Array, dilation = DILATION): void {
  out.fill(0);
  for (const outline of outlines) fillOutline(outline, out, dilation);
}

/** What a face's mask is made of: 68 points or more each, x y, canonical-crop pixels. */
export interface MaskedFace {
  readonly own?: Float32Array;
  readonly driven?: Float32Array;
  /** As found on this frame, behind which the smoothing may lag; absent for a face without smoothing. */
  readonly raw?: Float32Array;
  /** The own and the driven points as they rest, none further than `NOISE_PX` from where it is. */
  readonly settled?: readonly [own: Float32Array, driven: Float32Array];
}

/**
 * The mask of a face: its own points, those that the understudy is drawn by, and the points as they were found. By noise alone
 * its edge would tremble, and with it what the generator is given: points count from `NOISE_PX` on, and all outlines are as much wider.
 * @param out 128² bytes, overwritten
 */
export function faceMask({ own, driven, raw, settled }: MaskedFace, out: Uint8Array): void {
  const [a, b] = settled ?? [own!, driven!];
  const outlines = [a, b, ...(raw ? [settle(a, raw)] : [])].map((points) => faceOutline(points));
  rasteriseMask(outlines, out, DILATION + NOISE_PX);
}

/** The 68 points of `rest`, those that `points` are further away from than `NOISE_PX` after them by what is beyond it: 136 numbers. */
export function settle(rest: Float32Array, points: Float32Array): Float32Array {
  const out = new Float32Array(136);
  for (let i = 0; i < 136; i += 2) {
    const [dx, dy] = [points[i]! - rest[i]!, points[i + 1]! - rest[i + 1]!];
    const off = Math.hypot(dx, dy);
    const share = off <= NOISE_PX ? 0 : 1 - NOISE_PX / off;
    // What is no number must not rest.
    out[i] = Number.isFinite(off) ? rest[i]! + dx * share : points[i]!;
    out[i + 1] = Number.isFinite(off) ? rest[i + 1]! + dy * share : points[i + 1]!;
  }
  return out;
}

function fillOutline(outline: readonly number[], out: Uint8Array, dilation: number): void {
  leftEdge.fill(Number.POSITIVE_INFINITY);
  rightEdge.fill(Number.NEGATIVE_INFINITY);
  const n = outline.length / 2;
  for (let i = 0; i < n; i++) {
    const j = i + 1 < n ? i + 1 : 0;
    const [ax, ay, bx, by] = [outline[2 * i]!, outline[2 * i + 1]!, outline[2 * j]!, outline[2 * j + 1]!];
    disc(ax, ay, dilation);
    const length = Math.hypot(bx - ax, by - ay) || 1;
    const [ox, oy] = [((by - ay) / length) * dilation, ((ax - bx) / length) * dilation];
    // Either side of the edge: the one inside changes nothing.
    edge(ax + ox, ay + oy, bx + ox, by + oy);
    edge(ax - ox, ay - oy, bx - ox, by - oy);
  }
  for (let y = 0; y < CROP_SIZE; y++) {
    const from = Math.max(0, Math.ceil(leftEdge[y]!));
    const to = Math.min(CROP_SIZE - 1, Math.floor(rightEdge[y]!));
    if (from <= to) out.fill(255, y * CROP_SIZE + from, y * CROP_SIZE + to + 1);
  }
}

function widen(y: number, left: number, right: number): void {
  if (left < leftEdge[y]!) leftEdge[y] = left;
  if (right > rightEdge[y]!) rightEdge[y] = right;
}

function disc(x: number, y: number, radius: number): void {
  const last = Math.min(CROP_SIZE - 1, Math.floor(y + radius));
  for (let row = Math.max(0, Math.ceil(y - radius)); row <= last; row++) {
    const half = Math.sqrt(Math.max(0, radius ** 2 - (row - y) ** 2));
    widen(row, x - half, x + half);
  }
}

function edge(ax: number, ay: number, bx: number, by: number): void {
  if (ay === by) return;
  const last = Math.min(CROP_SIZE - 1, Math.floor(Math.max(ay, by)));
  for (let row = Math.max(0, Math.ceil(Math.min(ay, by))); row <= last; row++) {
    const x = ax + ((bx - ax) * (row - ay)) / (by - ay);
    widen(row, x, x);
  }
}
