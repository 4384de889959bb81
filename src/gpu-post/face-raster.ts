import { type Affine, CROP_SIZE } from '../core/face-track.ts';
import type { Scratch } from '../core/simd/scratch.ts';
import type { ColourSpec } from '../core/video-frame.ts';
import type { Box } from './plane-blend.ts';
import type { Extent } from './soft-mask.ts';

const WEIGHTS = { bt601: [0.299, 0.114], bt709: [0.2126, 0.0722], bt2020: [0.2627, 0.0593] } as const;
/** Picture pixels per texel below which the face is halved first. */
const SHRINK_BELOW = 0.75;
const MIN_SIDE = 16;
/** Fixed point of positions: 16 bits behind the point. */
const ONE = 65_536;

/**
 * A finished canonical face at the picture's resolution, in the picture's own Y'CbCr. On the CPU: the planes are there, and a software GL takes longer
 * for the same pixels and for handing them over.
 */
export class FaceRaster {
  /** Side without the border of one texel, which repeats the edge. */
  #side = 0;
  /** Address of the square with its border. */
  #texels = 0;
  /** Address of where in each row the face begins and ends. */
  #ends = 0;
  #halves: Uint8Array[] = [];
  readonly #scratch: Scratch;

  constructor(scratch: Scratch) {
    this.#scratch = scratch;
  }

  /** @param face RGBA, size² texels @param scale picture pixels per canonical pixel */
  load(face: Uint8Array, size: number, scale: number, colour: ColourSpec): void {
    let source = face;
    let side = size;
    // A small face would flicker otherwise.
    for (let i = 0; scale * CROP_SIZE < SHRINK_BELOW * side && side > MIN_SIDE && side % 2 === 0; i++) {
      // Faces of two sizes come here, and a buffer of the smaller one's would lose most of the larger.
      if ((this.#halves[i]?.length ?? 0) < side * side) this.#halves[i] = new Uint8Array(side * side);
      source = halve(source, side, this.#halves[i]!);
      side /= 2;
    }
    this.#side = side;
    const stride = side + 2;
    this.#texels = this.#scratch.take(4 * stride * stride);
    const rgba = this.#scratch.take(4 * side * side);
    new Uint8Array(this.#scratch.buffer, rgba, 4 * side * side).set(source.subarray(0, 4 * side * side));
    this.#ends = this.#scratch.take(8 * side);
    this.#scratch.kernels.toTexels(rgba, side, this.#texels, this.#ends, ...conversion(colour));
    const texels = new Int32Array(this.#scratch.buffer, this.#texels, stride * stride);
    texels.copyWithin(1, stride + 1, 2 * stride - 1);
    texels.copyWithin((side + 1) * stride + 1, side * stride + 1, (side + 1) * stride - 1);
    for (let y = 0; y < stride; y++) {
      texels[y * stride] = texels[y * stride + 1]!;
      texels[y * stride + stride - 1] = texels[y * stride + stride - 2]!;
    }
  }

  /**
   * Every pixel of a box of the picture, bilinear: Y, Cb, Cr, alpha from the lowest byte up; 0 where the face is not.
   * @param extent canonical, with a margin for the interpolation @returns the address of box.width · box.height numbers of 32 bits
   */
  draw(box: Box, extent: Extent, toPicture: Affine): number {
    const start = this.#scratch.take(4 * box.width * box.height);
    const out = new Int32Array(this.#scratch.buffer, start, box.width * box.height);
    const { a, b, c, d, e, f } = toPicture;
    const det = a * e - b * d;
    const perTexel = this.#side / CROP_SIZE;
    const [ux, uy] = [(e / det) * perTexel, (-b / det) * perTexel];
    const [vx, vy] = [(-d / det) * perTexel, (a / det) * perTexel];
    const shift = 0.5 * perTexel - 0.5;
    // The texture's edge repeats for ever; what lies beyond it is no face.
    const limit = (low: number, high: number) =>
      [Math.max(-0.499, low * perTexel + shift), Math.min(this.#side - 0.501, high * perTexel + shift)] as const;
    const [u0, u1] = limit(extent.x0, extent.x1);
    const [v0, v1] = limit(extent.y0, extent.y1);
    const { kernels } = this.#scratch;
    const ends = new Int32Array(this.#scratch.buffer, this.#ends, 2 * this.#side);
    for (let j = 0; j < box.height; j++) {
      const u = ux * (box.x - c) + uy * (box.y + j - f) + shift;
      const v = vx * (box.x - c) + vy * (box.y + j - f) + shift;
      const [vFrom, vTo] = within(v, vx, v0, v1);
      const [left, right] = this.#drawn(ends, v, v + box.width * vx);
      const [uFrom, uTo] = within(u, ux, Math.max(u0, left), Math.min(u1, right));
      const from = Math.max(0, Math.ceil(Math.max(uFrom, vFrom)));
      const to = Math.min(box.width, Math.floor(Math.min(uTo, vTo)) + 1);
      const row = j * box.width;
      if (from >= to) {
        out.fill(0, row, row + box.width);
        continue;
      }
      out.fill(0, row, row + from);
      out.fill(0, row + to, row + box.width);
      const [x, y] = [fixed(u + from * ux + 1), fixed(v + from * vx + 1)];
      kernels.drawSpan(start + 4 * (row + from), to - from, this.#texels, this.#side + 2, x, y, fixed(ux), fixed(vx));
    }
    return start;
  }

  /** Between which texels a line through these rows has something to draw. */
  #drawn(ends: Int32Array, v: number, endV: number): readonly [number, number] {
    const first = Math.max(0, Math.floor(Math.min(v, endV)));
    const last = Math.min(this.#side - 1, Math.floor(Math.max(v, endV)) + 1);
    if (last - first >= MAX_ROWS) return [-1, this.#side];
    let [from, to] = [this.#side, 0];
    for (let y = first; y <= last; y++) {
      if (ends[2 * y] === ends[2 * y + 1]) continue;
      from = Math.min(from, ends[2 * y]!);
      to = Math.max(to, ends[2 * y + 1]!);
    }
    return [from - 1, to];
  }
}

/** Texel rows up to which a line of the picture is looked at for where the face ends: one that is steeper crosses most of them. */
const MAX_ROWS = 12;

const fixed = (value: number): number => Math.round(value * ONE) | 0;

/** Steps from `at`, each `step` long, between which a coordinate lies within [low, high]. */
function within(at: number, step: number, low: number, high: number): readonly [number, number] {
  if (low > high) return [1, 0];
  if (Math.abs(step) < 1e-9) return at >= low && at <= high ? [0, Number.MAX_SAFE_INTEGER] : [1, 0];
  const [first, last] = [(low - at) / step, (high - at) / step];
  return first < last ? [first, last] : [last, first];
}

/** Half the size: means of four, rounded. */
function halve(from: Uint8Array, side: number, to: Uint8Array): Uint8Array {
  const half = side / 2;
  for (let y = 0, at = 0; y < half; y++) {
    for (let i = 0; i < 4 * half; i++, at++) {
      const p = 8 * y * side + 2 * (i & ~3) + (i & 3);
      to[at] = (from[p]! + from[p + 4]! + from[p + 4 * side]! + from[p + 4 * side + 4]! + 2) >> 2;
    }
  }
  return to;
}

/** Factors of R, G and B in luma, of the differences to it in chroma, and the scale and offset of luma, with one half for rounding. */
function conversion({ matrix, range }: ColourSpec): [number, number, number, number, number, number, number] {
  const [kr, kb] = WEIGHTS[matrix];
  const [offset, scale, chroma] = range === 'full' ? [0.5, 1, 1] : [16.5, 219 / 255, 224 / 255];
  return [kr, 1 - kr - kb, kb, chroma / (2 * (1 - kb)), chroma / (2 * (1 - kr)), scale, offset];
}
