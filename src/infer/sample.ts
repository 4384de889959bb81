import type { Affine } from '../core/face-track.ts';
import { Place, Scratch } from '../core/simd/scratch.ts';
import type { ColourSpec, PictureFormat } from '../core/video-frame.ts';
import { planeLayout } from '../core/video-frame.ts';
import type { DetectorWindow, Picture, SquareCrop } from '../core/vision.ts';
import { mirroredAt } from './axis-table.ts';
import { onChroma, type PlacedPlane, PlaneSampler } from './plane-sampling.ts';

/** Bytes of a number. */
const NUMBER = 4;

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

/** Planar RGB in the memory of the picture it was taken from: 3·n numbers, of use until the sampler's next call. */
export interface PlacedRgb {
  readonly scratch: Scratch;
  readonly address: number;
  /** Numbers of one plane. */
  readonly n: number;
}

/** A new view: of use until the memory grows. */
export const valuesOf = ({ scratch, address, n }: PlacedRgb): Float32Array =>
  new Float32Array(scratch.buffer, address, 3 * n);

/** Addresses of a sampler's results in one memory: three planes, then RGB. */
interface Results {
  readonly luma: number;
  readonly blue: number;
  readonly red: number;
  readonly rgb: number;
}

/** Samples pictures into fixed sizes without allocating per call. One per thread and size. */
export class PictureSampler {
  readonly width: number;
  readonly height: number;
  readonly #planes: PlaneSampler;
  readonly #results = new WeakMap<Scratch, Results>();
  /** Holds what is needed of a picture that brings no pyramid. */
  readonly #strips = new Strips();
  readonly #mirrored: boolean;

  /** @param mirrored what lies left and right of the picture is its mirror image */
  constructor(width: number, height: number, mirrored = false) {
    this.width = width;
    this.height = height;
    this.#mirrored = mirrored;
    this.#planes = new PlaneSampler(width, height, mirrored);
  }

  /** Luma as 0…255 of full range. The result is of use until the next call. */
  gray(picture: Picture, s: Sampling): Float32Array {
    const scratch = this.#scratchOf(picture);
    const { luma } = this.#resultsIn(scratch);
    this.#sample(scratch, this.#plane(picture, 0, s), luma);
    const { lumaScale, lumaOffset } = toRgb(picture.format.colour);
    const n = this.width * this.height;
    scratch.kernels.toGray(luma, n, lumaScale, lumaOffset);
    return new Float32Array(scratch.buffer, luma, n);
  }

  /**
   * Planar RGB, `(value − offset) · scale`.
   * @param out 3·width·height numbers
   */
  rgb(picture: Picture, s: Sampling, out: Float32Array, offset: number, scale: number): void {
    const scratch = this.#scratchOf(picture);
    const to = this.#resultsIn(scratch);
    this.#ycbcr(scratch, this.#reduced(picture, s), to);
    const { lumaScale, lumaOffset, rCr, gCb, gCr, bCb } = toRgb(picture.format.colour);
    const n = this.width * this.height;
    const { luma, blue, red, rgb } = to;
    const shift = -offset * scale;
    scratch.kernels.toRgbClipped(luma, blue, red, rgb, n, lumaScale, lumaOffset, rCr, gCb, gCr, bCb, scale, shift);
    out.set(valuesOf({ scratch, address: rgb, n }));
  }

  /** The same without clipping colours outside the gamut to 0…255, and left where it was made: faster, and a detector does not mind. */
  rgbUnclipped(picture: Picture, s: Sampling, offset: number, scale: number): PlacedRgb {
    const scratch = this.#scratchOf(picture);
    const to = this.#resultsIn(scratch);
    const factors = linear(toRgb(picture.format.colour), offset, scale);
    const n = this.width * this.height;
    const planes = this.#reduced(picture, s);
    const [luma, blue, red] = planes;
    if (isShift(luma) && sameGrid(luma, blue) && sameGrid(luma, red)) this.#shifted(scratch, planes, to.rgb, factors);
    else {
      this.#ycbcr(scratch, planes, to);
      scratch.kernels.toRgb(to.luma, to.blue, to.red, to.rgb, n, ...factors);
    }
    return { scratch, address: to.rgb, n };
  }

  /** The samples are there as they are wanted: no plane of them is made first. */
  #shifted(scratch: Scratch, [luma, blue, red]: readonly Reduced[], rgb: number, factors: Linear): void {
    const { width, height } = luma!;
    const [dx, dy] = [luma!.s.c, luma!.s.f];
    const n = this.width * this.height;
    const first = Math.max(0, Math.min(this.width, -dx));
    const last = Math.max(first, Math.min(this.width, width - dx));
    const beyond = (u: number) => (this.#mirrored ? mirroredAt(u + dx, width) : u < first ? 0 : width - 1);
    for (let v = 0; v < this.height; v++) {
      const row = Math.max(0, Math.min(height - 1, v + dy)) * width;
      const part = (x: number, u: number, count: number) => {
        const [from, to] = [row + x, rgb + NUMBER * (v * this.width + u)];
        const { kernels } = scratch;
        kernels.bytesToRgb(from + luma!.address, from + blue!.address, from + red!.address, to, n, count, ...factors);
      };
      for (let u = 0; u < first; u++) part(beyond(u), u, 1);
      part(first + dx, first, last - first);
      for (let u = last; u < this.width; u++) part(beyond(u), u, 1);
    }
  }

  #scratchOf(picture: Picture): Scratch {
    return picture.pyramid?.scratch ?? this.#strips.scratch;
  }

  #resultsIn(scratch: Scratch): Results {
    let results = this.#results.get(scratch);
    if (!results) {
      const bytes = NUMBER * this.width * this.height;
      const [luma, blue, red] = [scratch.take(bytes), scratch.take(bytes), scratch.take(bytes)];
      results = { luma, blue, red, rgb: scratch.take(3 * bytes) };
      this.#results.set(scratch, results);
    }
    return results;
  }

  /** Each channel's smallest sufficient plane, and the sampling on it. */
  #reduced(picture: Picture, s: Sampling): [Reduced, Reduced, Reduced] {
    const chroma = onChroma(s);
    return [this.#plane(picture, 0, s), this.#plane(picture, 1, chroma), this.#plane(picture, 2, chroma)];
  }

  #ycbcr(scratch: Scratch, [y, cb, cr]: readonly Reduced[], { luma, blue, red }: Results): void {
    this.#sample(scratch, y!, luma);
    this.#sample(scratch, cb!, blue);
    this.#sample(scratch, cr!, red);
  }

  #sample(scratch: Scratch, plane: Reduced, out: number): void {
    this.#planes.sample(scratch, plane, plane.s, out);
  }

  #plane({ pyramid, planes, format }: Picture, channel: 0 | 1 | 2, s: Sampling): Reduced {
    if (!pyramid) return { ...this.#strips.take(planes, format, channel, s, this), s };
    const { address, width, height, reduction } = pyramid.plane(
      channel,
      Math.min(Math.hypot(s.a, s.d), Math.hypot(s.b, s.e)),
    );
    return { address, width, height, s: onReduced(s, reduction) };
  }
}

/** Of each plane of a picture the rows that a sampling reads. */
class Strips {
  readonly scratch = new Scratch();
  readonly #places = [new Place(), new Place(), new Place()];

  take(planes: Uint8Array, format: PictureFormat, channel: 0 | 1 | 2, s: Sampling, size: Size): PlacedPlane {
    const { width, height } = channelSize(format, channel);
    const { cbOffset, crOffset } = planeLayout(format.width, format.height);
    const [from, to] = rowsOf(s, size, height);
    const bytes = (to - from) * width;
    const address = this.#places[channel]!.fit(this.scratch, bytes);
    const start = [0, cbOffset, crOffset][channel]! + from * width;
    new Uint8Array(this.scratch.buffer, address, bytes).set(planes.subarray(start, start + bytes));
    return { address: address - from * width, width, height };
  }
}

interface Size {
  readonly width: number;
  readonly height: number;
}

function channelSize({ width, height }: PictureFormat, channel: 0 | 1 | 2): Size {
  const { chromaWidth, chromaHeight } = planeLayout(width, height);
  return channel === 0 ? { width, height } : { width: chromaWidth, height: chromaHeight };
}

/** First row and the one after the last, with those that taps beside a sample read. */
function rowsOf({ d, e, f }: Sampling, { width, height }: Size, planeHeight: number): readonly [number, number] {
  const ys = [0, width].flatMap((u) => [0, height].map((v) => d * (u - 0.5) + e * (v - 0.5) + f));
  const margin = 3 + Math.abs(d) + Math.abs(e);
  const inside = (y: number) => Math.max(0, Math.min(planeHeight - 1, Math.floor(y)));
  return [inside(Math.min(...ys) - margin), inside(Math.max(...ys) + margin) + 1];
}

/** Factors of Y, Cb and Cr, and what is added: y; red's; green's two; blue's; what is added to red, green and blue. */
type Linear = readonly [number, number, number, number, number, number, number, number];

function linear({ lumaScale, lumaOffset, rCr, gCb, gCr, bCb }: ToRgb, offset: number, scale: number): Linear {
  const y1 = lumaScale * scale;
  const [r1, g1, g2, b1] = [rCr * scale, gCb * scale, gCr * scale, bCb * scale];
  const base = -offset * scale - lumaOffset * y1;
  return [y1, r1, g1, g2, b1, base - 128 * r1, base - 128 * (g1 + g2), base - 128 * b1];
}

/** A plane, and the sampling on it. */
interface Reduced extends PlacedPlane {
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
