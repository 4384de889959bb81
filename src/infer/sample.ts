import type { Affine } from '../core/face-track.ts';
import type { ColourSpec } from '../core/video-frame.ts';
import type { DetectorWindow, Picture, SquareCrop } from '../core/vision.ts';
import { mirroredAt } from './axis-table.ts';
import { HalvedPlanes } from './picture-pyramid.ts';
import { onChroma, PlaneSampler } from './plane-sampling.ts';

/** Destination pixel → picture: `x = a·u + b·v + c`, pixel centres at integers on both sides. */
export type Sampling = Affine;

/** Kr and Kb of ITU-R BT.601, BT.709 and BT.2020. */
const WEIGHTS = { bt601: [0.299, 0.114], bt709: [0.2126, 0.0722], bt2020: [0.2627, 0.0593] } as const;

export interface ToRgb {
  readonly lumaScale: number;
  readonly lumaOffset: number;
  readonly rCr: number;
  readonly gCb: number;
  readonly gCr: number;
  readonly bCb: number;
}

export function toRgb(colour: ColourSpec): ToRgb {
  const [kr, kb] = WEIGHTS[colour.matrix];
  const full = colour.range === 'full';
  const chroma = full ? 1 : 255 / 224;
  const kg = 1 - kr - kb;
  return {
    lumaScale: full ? 1 : 255 / 219,
    lumaOffset: full ? 0 : 16,
    rCr: 2 * (1 - kr) * chroma,
    gCb: (-2 * kb * (1 - kb) * chroma) / kg,
    gCr: (-2 * kr * (1 - kr) * chroma) / kg,
    bCb: 2 * (1 - kb) * chroma,
  };
}

/** A window resized to width × height, turned clockwise first: half-pixel centres, as a resize does. */
export function windowSampling(w: DetectorWindow, width: number, height: number): Sampling {
  const turned = w.quarterTurns % 2 === 1;
  const su = (turned ? w.height : w.width) / width;
  const sv = (turned ? w.width : w.height) / height;
  const cu = 0.5 * su;
  const cv = 0.5 * sv;
  const { x, y } = w;
  if (w.quarterTurns === 0) return { a: su, b: 0, c: x + cu - 0.5, d: 0, e: sv, f: y + cv - 0.5 };
  if (w.quarterTurns === 1) return { a: 0, b: sv, c: x + cv - 0.5, d: -su, e: 0, f: y + w.height - cu - 0.5 };
  if (w.quarterTurns === 2)
    return { a: -su, b: 0, c: x + w.width - cu - 0.5, d: 0, e: -sv, f: y + w.height - cv - 0.5 };
  return { a: 0, b: -sv, c: x + w.width - cv - 0.5, d: su, e: 0, f: y + cu - 0.5 };
}

export function squareSampling(crop: SquareCrop, size: number): Sampling {
  const scale = crop.side / size;
  const cos = Math.cos(crop.angle) * scale;
  const sin = Math.sin(crop.angle) * scale;
  const half = (size - 1) / 2;
  return {
    a: cos,
    b: -sin,
    c: crop.cx - 0.5 - half * cos + half * sin,
    d: sin,
    e: cos,
    f: crop.cy - 0.5 - half * sin - half * cos,
  };
}

/** Samples pictures into fixed sizes without allocating per call. One per thread and size. */
export class PictureSampler {
  readonly width: number;
  readonly height: number;
  readonly #planes: PlaneSampler;
  readonly #y: Float32Array;
  readonly #cb: Float32Array;
  readonly #cr: Float32Array;
  /** Stands in for a picture that brings no pyramid. */
  readonly #whole = new HalvedPlanes();

  readonly #mirrored: boolean;

  /** @param mirrored what lies left and right of the picture is its mirror image */
  constructor(width: number, height: number, mirrored = false) {
    this.width = width;
    this.height = height;
    this.#mirrored = mirrored;
    this.#planes = new PlaneSampler(width, height, mirrored);
    const n = width * height;
    this.#y = new Float32Array(n);
    this.#cb = new Float32Array(n);
    this.#cr = new Float32Array(n);
  }

  /** Luma as 0…255 of full range. The result is overwritten by the next call. */
  gray(picture: Picture, s: Sampling): Float32Array {
    this.#sample(picture, 0, s, this.#y);
    const { lumaScale, lumaOffset } = toRgb(picture.format.colour);
    for (let i = 0; i < this.#y.length; i++) this.#y[i] = clamp((this.#y[i]! - lumaOffset) * lumaScale);
    return this.#y;
  }

  /**
   * Planar RGB, `(value − offset) · scale`.
   * @param out 3·width·height numbers
   */
  rgb(picture: Picture, s: Sampling, out: Float32Array, offset: number, scale: number): void {
    this.#ycbcr(picture, s);
    const conversion = toRgb(picture.format.colour);
    const n = this.width * this.height;
    for (let at = 0; at < n; at += this.width)
      convertClipped(this.#y, this.#cb, this.#cr, out, n, at, this.width, conversion, offset, scale);
  }

  /** The same without clipping colours outside the gamut to 0…255: three times as fast, and a detector does not mind. */
  rgbUnclipped(picture: Picture, s: Sampling, out: Float32Array, offset: number, scale: number): void {
    const factors = linear(toRgb(picture.format.colour), offset, scale);
    const n = this.width * this.height;
    const [luma, blue, red] = this.#reduced(picture, s);
    if (!(isShift(luma) && sameGrid(luma, blue) && sameGrid(luma, red))) {
      this.#ycbcr(picture, s);
      convertPlanes(this.#y, this.#cb, this.#cr, out, factors);
      return;
    }
    // The samples are there as they are wanted: no plane of them is made first.
    const { width, height } = luma;
    const [dx, dy] = [luma.s.c, luma.s.f];
    const first = Math.max(0, Math.min(this.width, -dx));
    const last = Math.max(first, Math.min(this.width, width - dx));
    for (let v = 0; v < this.height; v++) {
      const row = Math.max(0, Math.min(height - 1, v + dy)) * width;
      const at = v * this.width;
      const part = (x: number, u: number, count: number) =>
        convertBytes(luma.samples, blue.samples, red.samples, row + x, out, n, at + u, count, factors);
      const beyond = (u: number) => (this.#mirrored ? mirroredAt(u + dx, width) : u < first ? 0 : width - 1);
      for (let u = 0; u < first; u++) part(beyond(u), u, 1);
      part(first + dx, first, last - first);
      for (let u = last; u < this.width; u++) part(beyond(u), u, 1);
    }
  }

  /** Each channel's smallest sufficient plane, and the sampling on it. */
  #reduced(picture: Picture, s: Sampling): [Reduced, Reduced, Reduced] {
    const chroma = onChroma(s);
    return [this.#plane(picture, 0, s), this.#plane(picture, 1, chroma), this.#plane(picture, 2, chroma)];
  }

  #ycbcr(picture: Picture, s: Sampling): void {
    const chroma = onChroma(s);
    this.#sample(picture, 0, s, this.#y);
    this.#sample(picture, 1, chroma, this.#cb);
    this.#sample(picture, 2, chroma, this.#cr);
  }

  #sample(picture: Picture, channel: 0 | 1 | 2, on: Sampling, out: Float32Array): void {
    const { samples, width, height, s } = this.#plane(picture, channel, on);
    this.#planes.sample(samples, width, height, s, out);
  }

  #plane(picture: Picture, channel: 0 | 1 | 2, s: Sampling): Reduced {
    const step = Math.min(Math.hypot(s.a, s.d), Math.hypot(s.b, s.e));
    const pyramid = picture.pyramid ?? this.#whole.load(picture.planes, picture.format);
    const { samples, width, height, reduction } = pyramid.plane(channel, picture.pyramid ? step : 1);
    return { samples, width, height, s: onReduced(s, reduction) };
  }
}

/** Factors of Y, Cb and Cr, and what is added: red, green, blue. */
interface Linear {
  readonly y1: number;
  readonly r1: number;
  readonly g1: number;
  readonly g2: number;
  readonly b1: number;
  readonly r0: number;
  readonly g0: number;
  readonly b0: number;
}

function linear({ lumaScale, lumaOffset, rCr, gCb, gCr, bCb }: ToRgb, offset: number, scale: number): Linear {
  const y1 = lumaScale * scale;
  const [r1, g1, g2, b1] = [rCr * scale, gCb * scale, gCr * scale, bCb * scale];
  const base = -offset * scale - lumaOffset * y1;
  return { y1, r1, g1, g2, b1, r0: base - 128 * r1, g0: base - 128 * (g1 + g2), b0: base - 128 * b1 };
}

// Twice the same: a loop over bytes and floats in turn is a third slower than one for each.
function convertPlanes(luma: Float32Array, blue: Float32Array, red: Float32Array, out: Float32Array, k: Linear): void {
  const { y1, r1, g1, g2, b1, r0, g0, b0 } = k;
  const n = luma.length;
  for (let i = 0; i < n; i++) {
    const y = luma[i]! * y1;
    const cb = blue[i]!;
    const cr = red[i]!;
    out[i] = y + r1 * cr + r0;
    out[n + i] = y + g1 * cb + g2 * cr + g0;
    out[2 * n + i] = y + b1 * cb + b0;
  }
}

function convertBytes(
  luma: Uint8Array,
  blue: Uint8Array,
  red: Uint8Array,
  from: number,
  out: Float32Array,
  n: number,
  at: number,
  count: number,
  { y1, r1, g1, g2, b1, r0, g0, b0 }: Linear,
): void {
  for (let i = 0; i < count; i++) {
    const y = luma[from + i]! * y1;
    const cb = blue[from + i]!;
    const cr = red[from + i]!;
    out[at + i] = y + r1 * cr + r0;
    out[n + at + i] = y + g1 * cb + g2 * cr + g0;
    out[2 * n + at + i] = y + b1 * cb + b0;
  }
}

/** A row of them, clipped. */
function convertClipped(
  luma: Float32Array,
  blue: Float32Array,
  red: Float32Array,
  out: Float32Array,
  n: number,
  at: number,
  count: number,
  { lumaScale, lumaOffset, rCr, gCb, gCr, bCb }: ToRgb,
  offset: number,
  scale: number,
): void {
  const shift = -offset * scale;
  for (let i = at; i < at + count; i++) {
    const y = (luma[i]! - lumaOffset) * lumaScale;
    const cb = blue[i]! - 128;
    const cr = red[i]! - 128;
    out[i] = clamp(y + rCr * cr) * scale + shift;
    out[n + i] = clamp(y + gCb * cb + gCr * cr) * scale + shift;
    out[2 * n + i] = clamp(y + bCb * cb) * scale + shift;
  }
}

interface Reduced {
  readonly samples: Uint8Array;
  readonly width: number;
  readonly height: number;
  readonly s: Sampling;
}

const isShift = ({ s }: Reduced): boolean =>
  s.a === 1 && s.b === 0 && s.d === 0 && s.e === 1 && Number.isInteger(s.c) && Number.isInteger(s.f);

const sameGrid = (one: Reduced, other: Reduced): boolean =>
  isShift(other) &&
  one.s.c === other.s.c &&
  one.s.f === other.s.f &&
  one.width === other.width &&
  one.height === other.height;

/** The same sampling on a plane that was reduced by averaging: its first sample lies in the middle of those it stands for. */
function onReduced(s: Sampling, r: number): Sampling {
  if (r === 1) return s;
  const middle = (r - 1) / 2;
  return { a: s.a / r, b: s.b / r, c: (s.c - middle) / r, d: s.d / r, e: s.e / r, f: (s.f - middle) / r };
}

function clamp(value: number): number {
  return value < 0 ? 0 : value > 255 ? 255 : value;
}
