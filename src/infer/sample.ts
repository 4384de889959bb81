import type { Affine } from '../core/face-track.ts';
import { type ColourSpec, planeLayout } from '../core/video-frame.ts';
import type { DetectorWindow, Picture, SquareCrop } from '../core/vision.ts';

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

/** Taps each way that keep a reduction from aliasing; four are enough for a film of 4K. */
function tapsFor(s: Sampling): number {
  const step = Math.max(Math.hypot(s.a, s.d), Math.hypot(s.b, s.e));
  return Math.max(1, Math.min(4, Math.round(step)));
}

/**
 * Samples one plane (bilinear, edge pixels repeated, averaged over a grid of taps when reducing).
 * @param out width·height values 0…255
 * @param halve 1 for luma, 2 for a chroma plane (4:2:0, samples between the luma pixels)
 */
function samplePlane(
  plane: Uint8Array,
  pw: number,
  ph: number,
  s: Sampling,
  width: number,
  height: number,
  halve: number,
  out: Float32Array,
): void {
  const taps = halve === 1 ? tapsFor(s) : Math.max(1, tapsFor(s) >> 1);
  const weight = 1 / (taps * taps);
  const maxX = pw - 1;
  const maxY = ph - 1;
  let at = 0;
  for (let v = 0; v < height; v++) {
    for (let u = 0; u < width; u++, at++) {
      let sum = 0;
      for (let j = 0; j < taps; j++) {
        const tv = v + (j + 0.5) / taps - 0.5;
        for (let i = 0; i < taps; i++) {
          const tu = u + (i + 0.5) / taps - 0.5;
          let x = s.a * tu + s.b * tv + s.c;
          let y = s.d * tu + s.e * tv + s.f;
          if (halve === 2) {
            x = (x - 0.5) / 2;
            y = (y - 0.5) / 2;
          }
          x = x < 0 ? 0 : x > maxX ? maxX : x;
          y = y < 0 ? 0 : y > maxY ? maxY : y;
          const x0 = x | 0;
          const y0 = y | 0;
          const fx = x - x0;
          const fy = y - y0;
          const row = y0 * pw;
          const below = y0 < maxY ? row + pw : row;
          const x1 = x0 < maxX ? x0 + 1 : x0;
          const top = plane[row + x0]! * (1 - fx) + plane[row + x1]! * fx;
          const bottom = plane[below + x0]! * (1 - fx) + plane[below + x1]! * fx;
          sum += top + (bottom - top) * fy;
        }
      }
      out[at] = sum * weight;
    }
  }
}

/** Samples pictures into fixed sizes without allocating per call. One per thread and size. */
export class PictureSampler {
  readonly width: number;
  readonly height: number;
  readonly #y: Float32Array;
  readonly #cb: Float32Array;
  readonly #cr: Float32Array;

  constructor(width: number, height: number) {
    this.width = width;
    this.height = height;
    const n = width * height;
    this.#y = new Float32Array(n);
    this.#cb = new Float32Array(n);
    this.#cr = new Float32Array(n);
  }

  /** Luma as 0…255 of full range. The result is overwritten by the next call. */
  gray(picture: Picture, s: Sampling): Float32Array {
    const { width, height, colour } = picture.format;
    samplePlane(picture.planes.subarray(0, width * height), width, height, s, this.width, this.height, 1, this.#y);
    const { lumaScale, lumaOffset } = toRgb(colour);
    for (let i = 0; i < this.#y.length; i++) this.#y[i] = clamp((this.#y[i]! - lumaOffset) * lumaScale);
    return this.#y;
  }

  /**
   * Planar RGB, `(value − offset) · scale`.
   * @param out 3·width·height numbers
   */
  rgb(picture: Picture, s: Sampling, out: Float32Array, offset: number, scale: number): void {
    const { width, height, colour } = picture.format;
    const layout = planeLayout(width, height);
    const { chromaWidth: cw, chromaHeight: ch, cbOffset, crOffset } = layout;
    const n = this.width * this.height;
    samplePlane(picture.planes.subarray(0, cbOffset), width, height, s, this.width, this.height, 1, this.#y);
    samplePlane(picture.planes.subarray(cbOffset, crOffset), cw, ch, s, this.width, this.height, 2, this.#cb);
    samplePlane(picture.planes.subarray(crOffset, layout.byteLength), cw, ch, s, this.width, this.height, 2, this.#cr);
    const k = toRgb(colour);
    for (let i = 0; i < n; i++) {
      const y = (this.#y[i]! - k.lumaOffset) * k.lumaScale;
      const cb = this.#cb[i]! - 128;
      const cr = this.#cr[i]! - 128;
      out[i] = (clamp(y + k.rCr * cr) - offset) * scale;
      out[n + i] = (clamp(y + k.gCb * cb + k.gCr * cr) - offset) * scale;
      out[2 * n + i] = (clamp(y + k.bCb * cb) - offset) * scale;
    }
  }
}

function clamp(value: number): number {
  return value < 0 ? 0 : value > 255 ? 255 : value;
}
