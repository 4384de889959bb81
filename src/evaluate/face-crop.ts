import { faceOutline, rasteriseMask } from '../core/face-mask.ts';
import type { Picture, SquareCrop } from '../core/vision.ts';
import { PictureSampler, squareSampling } from '../infer/sample.ts';

/** Side of the field in which pixels are compared: the generator's canonical crop. */
export const CROP = 128;
/** Side of the small copy that is kept for attacks and reports. */
export const THUMB = 64;

/** The canonical square around 68 points (docs/architecture.md, "The generator's contract"). */
export function canonicalSquare(points: Float32Array): SquareCrop {
  const centre = (from: number, to: number): [number, number] => {
    let [x, y] = [0, 0];
    for (let i = from; i < to; i++) {
      x += points[2 * i]!;
      y += points[2 * i + 1]!;
    }
    return [x / (to - from), y / (to - from)];
  };
  const [le, re] = [centre(36, 42), centre(42, 48)];
  const mouth = [(points[96]! + points[108]!) / 2, (points[97]! + points[109]!) / 2] as const;
  const middle = [(le[0] + re[0]) / 2, (le[1] + re[1]) / 2] as const;
  const e = [re[0] - le[0], re[1] - le[1]] as const;
  const m = [mouth[0] - middle[0], mouth[1] - middle[1]] as const;
  const side = 3.4 * Math.max(Math.hypot(...e), 0.93 * Math.hypot(...m));
  const angle = Math.atan2(e[1] - m[0], e[0] + m[1]);
  // Points count from pixel centres, a SquareCrop from pixel corners.
  return { cx: middle[0] + 0.28 * m[0] + 0.5, cy: middle[1] + 0.28 * m[1] + 0.5, side, angle };
}

/** Picture pixels to pixels of a square crop of `size`. */
export function pointsInCrop(points: Float32Array, square: SquareCrop, size: number): Float32Array {
  const [cos, sin, scale] = [Math.cos(square.angle), Math.sin(square.angle), size / square.side];
  const out = new Float32Array(points.length);
  for (let i = 0; i < points.length; i += 2) {
    const dx = points[i]! + 0.5 - square.cx;
    const dy = points[i + 1]! + 0.5 - square.cy;
    out[i] = (dx * cos + dy * sin) * scale + size / 2 - 0.5;
    out[i + 1] = (dy * cos - dx * sin) * scale + size / 2 - 0.5;
  }
  return out;
}

/** One byte a pixel of the 128² crop: the hull of the points and the forehead, as the generator's mask covers it. */
export function cropMask(pointsInCrop128: Float32Array): Uint8Array {
  const mask = new Uint8Array(CROP * CROP);
  rasteriseMask([faceOutline(pointsInCrop128)], mask);
  return mask;
}

/** Reads square crops of one size as interleaved RGB. One per thread: its memory is used again. */
export class CropReader {
  readonly size: number;
  readonly #sampler: PictureSampler;
  readonly #planar: Float32Array;

  constructor(size: number) {
    this.size = size;
    this.#sampler = new PictureSampler(size, size);
    this.#planar = new Float32Array(3 * size * size);
  }

  /** @returns 3·size² numbers in [0, 1], interleaved */
  read(picture: Picture, square: SquareCrop): Float32Array {
    this.#sampler.rgb(picture, squareSampling(square, this.size), this.#planar, 0, 1 / 255);
    const n = this.size * this.size;
    const out = new Float32Array(3 * n);
    for (let p = 0; p < n; p++) for (let c = 0; c < 3; c++) out[3 * p + c] = this.#planar[c * n + p]!;
    return out;
  }

  /** The same as bytes. */
  bytes(picture: Picture, square: SquareCrop): Uint8Array {
    return Uint8Array.from(this.read(picture, square), (v) => Math.round(v * 255));
  }
}
