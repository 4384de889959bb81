import { type Affine, CROP_SIZE } from '../core/face-track.ts';
import { planeLayout } from '../core/video-frame.ts';
import type { Picture, ReducedPlane } from '../core/vision.ts';
import { meanPoint } from './canonical.ts';

/** Contour points whose edge is looked for: in front of the ears and on the chin what lies beyond has skin's colour too. */
const SIDES = [
  [2, 3, 4, 5, 6],
  [14, 13, 12, 11, 10],
] as const;
/** Canonical pixels, along the line from the middle of the face: where an edge is looked for, how far the contour may move. */
const INSIDE = 2;
const OUTSIDE = 9;
const STEP = 0.5;
const MOST = 6.5;
/** What lies within as many samples on both sides of an edge is compared. */
const SAMPLES = 4;
/** The nearest edge that is not much weaker than the strongest: beyond a jaw may come hair, and then a wall. */
const OF_STRONGEST = 0.6;
/** An edge so near is where the contour should be. */
const NEAR = 1.75;
/** Log of luma and chroma samples by which the sides of an edge differ. */
const EDGE_LUMA = 0.4;
const EDGE_CHROMA = 12;
/** Below so many picture pixels per canonical one the edge is too blurred to be placed. */
const LEAST_SCALE = 0.75;
const SETTLE_SECONDS = 0.7;

/**
 * How far beyond each of the 17 contour points the jaw really ends, canonical pixels away from the middle of the face. The landmark model draws
 * broad jaws too narrow, by up to 5 pixels: the mask would end on the cheek, and a strip of it stay beside the understudy.
 * @param own 136 numbers or more, canonical-crop pixels
 */
export function jawExtents(picture: Picture, toPicture: Affine, own: Float32Array): Float32Array {
  const extents = new Float32Array(17);
  const scale = Math.sqrt(Math.abs(toPicture.a * toPicture.e - toPicture.b * toPicture.d));
  if (!(scale >= LEAST_SCALE)) return extents;
  const planes = [reduced(picture, 0, scale), reduced(picture, 1, scale / 2), reduced(picture, 2, scale / 2)] as const;
  const middle = meanPoint(own, 27, 36);
  for (const side of SIDES) {
    const found = side.map((i) => edgeBeyond(planes, picture, toPicture, own, i, middle));
    const settled = settle(found);
    for (const [k, i] of side.entries()) {
      const [before, after] = [settled[k - 1] ?? settled[k]!, settled[k + 1] ?? settled[k]!];
      extents[i] = (before + 2 * settled[k]! + after) / 4;
    }
  }
  return extents;
}

/** One extent for each point of a side, from those that see an edge: the middle one of three neighbours; half of a neighbour's where none is seen. */
function settle(found: readonly (number | undefined)[]): number[] {
  const near = found.map((_, k) => found.slice(Math.max(0, k - 1), k + 2).filter((v) => v !== undefined));
  // A single point that sees an edge may see a collar, an earring, a strand of hair.
  const sure = near.map((known) => (known.length < 2 ? undefined : known.sort((a, b) => a - b)[known.length >> 1]!));
  return sure.map((v, k) => v ?? Math.max(sure[k - 1] ?? 0, sure[k + 1] ?? 0) / 2);
}

/** Moves the contour of 68 or more points outwards, away from the middle of the face. */
export function widened(points: Float32Array, extents: Float32Array): Float32Array {
  const out = Float32Array.from(points);
  const middle = meanPoint(points, 27, 36);
  for (let i = 0; i < 17; i++) {
    const [x, y] = [points[2 * i]! - middle.x, points[2 * i + 1]! - middle.y];
    const by = extents[i]! / (Math.hypot(x, y) || 1);
    out[2 * i] = points[2 * i]! + by * x;
    out[2 * i + 1] = points[2 * i + 1]! + by * y;
  }
  return out;
}

/** The extents of one FaceTrack over time. */
export class JawEdge {
  #extents: Float32Array | undefined;

  /** @param dt seconds since the last call */
  update(now: Float32Array, dt: number): Float32Array {
    const before = this.#extents;
    const share = 1 - Math.exp(-Math.max(0, dt) / SETTLE_SECONDS);
    this.#extents = before ? before.map((v, i) => v + share * (now[i]! - v)) : now;
    return this.#extents;
  }
}

type Samples = Omit<ReducedPlane, 'address'>;

function reduced(picture: Picture, channel: 0 | 1 | 2, step: number): Samples {
  if (picture.pyramid) return picture.pyramid.plane(channel, step);
  const layout = planeLayout(picture.format.width, picture.format.height);
  const [from, to] = [
    [0, layout.cbOffset],
    [layout.cbOffset, layout.crOffset],
    [layout.crOffset, layout.byteLength],
  ][channel] as [number, number];
  const [width, height] = channel ? [layout.chromaWidth, layout.chromaHeight] : [layout.width, layout.height];
  return { samples: picture.planes.subarray(from, to), width, height, reduction: 1 };
}

/** What lies along one line, three numbers each, scaled so that an edge is 1: the logarithm of luma, and chroma. */
const profile = new Float64Array(3 * Math.ceil((INSIDE + OUTSIDE) / STEP + SAMPLES + 1));

/** @returns how far beyond contour point `i` the face ends; 0 when it ends there, undefined when no end is to be seen */
function edgeBeyond(
  [luma, blue, red]: readonly [Samples, Samples, Samples],
  picture: Picture,
  t: Affine,
  own: Float32Array,
  i: number,
  middle: { x: number; y: number },
): number | undefined {
  const [px, py] = [own[2 * i]!, own[2 * i + 1]!];
  const length = Math.hypot(px - middle.x, py - middle.y);
  if (!(length > INSIDE + SAMPLES * STEP)) return undefined;
  const [ox, oy] = [(px - middle.x) / length, (py - middle.y) / length];
  const to = Math.min(OUTSIDE, visible(picture, t, px, py, ox, oy));
  let count = 0;
  for (let s = -INSIDE - SAMPLES * STEP; s <= to; s += STEP, count++) {
    let l = 0;
    let cb = 0;
    let cr = 0;
    for (let along = -1; along <= 1; along++) {
      const u = px + s * ox - along * oy;
      const v = py + s * oy + along * ox;
      const x = t.a * u + t.b * v + t.c;
      const y = t.d * u + t.e * v + t.f;
      l += at(luma, x, y) / 3;
      cb += at(blue, x / 2, y / 2) / 3;
      cr += at(red, x / 2, y / 2) / 3;
    }
    profile[3 * count] = Math.log(l + 8) / EDGE_LUMA;
    profile[3 * count + 1] = cb / EDGE_CHROMA;
    profile[3 * count + 2] = cr / EDGE_CHROMA;
  }
  const strength = Array.from({ length: count }, (_, k) => stepAt(k, count));
  const least = Math.max(1, OF_STRONGEST * Math.max(...strength));
  // A peak: what begins to fall at once is an edge further inside.
  const k = strength.findIndex(
    (v, j) => j > SAMPLES && v >= least && v >= strength[j - 1]! && v >= (strength[j + 1] ?? 0),
  );
  if (k < 0) return undefined;
  const edge = (k - SAMPLES) * STEP - INSIDE;
  return edge < NEAR ? 0 : Math.min(MOST, edge);
}

/** How much the samples before number `k` differ from it and those after it; 0 where they are too few. */
function stepAt(k: number, count: number): number {
  if (k < SAMPLES || k + SAMPLES > count) return 0;
  let sum = 0;
  for (let c = 0; c < 3; c++) {
    let difference = 0;
    for (let j = 0; j < SAMPLES; j++) difference += profile[3 * (k + j) + c]! - profile[3 * (k - 1 - j) + c]!;
    sum += (difference / SAMPLES) ** 2;
  }
  return Math.sqrt(sum);
}

/** Canonical pixels from a point outwards to where the picture or the crop ends. */
function visible({ format }: Picture, t: Affine, px: number, py: number, ox: number, oy: number): number {
  for (let s = 0; s <= OUTSIDE; s++) {
    const [u, v] = [px + s * ox, py + s * oy];
    const [x, y] = [t.a * u + t.b * v + t.c, t.d * u + t.e * v + t.f];
    const within = u >= 0 && v >= 0 && u < CROP_SIZE && v < CROP_SIZE;
    if (!(within && x >= 0 && y >= 0 && x < format.width && y < format.height)) return s - 1;
  }
  return OUTSIDE;
}

function at({ samples, width, height, reduction }: Samples, x: number, y: number): number {
  const column = Math.max(0, Math.min(width - 1, Math.floor((x + 0.5) / reduction)));
  const row = Math.max(0, Math.min(height - 1, Math.floor((y + 0.5) / reduction)));
  return samples[row * width + column]!;
}
