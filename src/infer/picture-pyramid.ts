import { type PictureFormat, planeLayout } from '../core/video-frame.ts';
import type { PicturePyramid, ReducedPlane } from '../core/vision.ts';

const MAX_LEVEL = 3;
/** Every other byte of a word. */
const EVEN = 0x00ff00ff;
/** Half of a divisor of four, in both halves of a word. */
const ROUND = 0x00020002;

/**
 * A picture halved again and again, each sample the mean of four: whatever is reduced later reads few samples. A level is made when it is
 * first asked for, in memory that is kept from picture to picture.
 */
export class HalvedPlanes implements PicturePyramid {
  #planes: Uint8Array = new Uint8Array();
  #format: PictureFormat | undefined;
  /** Per channel the levels from 0, of which the first `made` belong to this picture. */
  readonly #levels: ReducedPlane[][] = [[], [], []];
  readonly #made = [0, 0, 0];

  /** Must be called for each new picture, also when it lies in the same memory. */
  load(planes: Uint8Array, format: PictureFormat): this {
    if (this.#format?.width !== format.width || this.#format.height !== format.height)
      for (const levels of this.#levels) levels.length = 0;
    this.#planes = planes;
    this.#format = format;
    this.#made.fill(0);
    return this;
  }

  plane(channel: 0 | 1 | 2, step: number): ReducedPlane {
    const wanted = Math.max(0, Math.min(MAX_LEVEL, Math.floor(Math.log2(step) + 1e-6)));
    const levels = this.#levels[channel]!;
    while (this.#made[channel]! <= wanted) {
      const level = this.#made[channel]!;
      if (level === 0) levels[0] = this.#whole(channel);
      else {
        levels[level] ??= emptyHalf(levels[level - 1]!);
        halve(levels[level - 1]!, levels[level]!);
      }
      this.#made[channel]!++;
    }
    return levels[wanted]!;
  }

  #whole(channel: 0 | 1 | 2): ReducedPlane {
    const { width, height } = this.#format!;
    const { chromaWidth, chromaHeight, cbOffset, crOffset, byteLength } = planeLayout(width, height);
    const [from, to] = [
      [0, cbOffset],
      [cbOffset, crOffset],
      [crOffset, byteLength],
    ][channel]!;
    const size = channel === 0 ? { width, height } : { width: chromaWidth, height: chromaHeight };
    return { samples: this.#planes.subarray(from, to), ...size, reduction: 1 };
  }
}

function emptyHalf({ width, height, reduction }: ReducedPlane): ReducedPlane {
  const [w, h] = [(width + 1) >> 1, (height + 1) >> 1];
  return { samples: new Uint8Array(w * h), width: w, height: h, reduction: 2 * reduction };
}

/** Means of 2×2 samples, rounded; an odd edge is repeated. */
export function halve(from: ReducedPlane, to: ReducedPlane): void {
  const { samples } = from;
  const wide = from.width % 8 === 0 && samples.byteOffset % 4 === 0;
  if (wide) halveWords(words(samples), words(to.samples), from, to);
  else halveSamples(from, to);
}

// Signed: V8 keeps those in a register, where a word of 32 bits without sign can become a number on the heap.
const words = (bytes: Uint8Array): Int32Array => new Int32Array(bytes.buffer, bytes.byteOffset, bytes.byteLength >> 2);

/** Four results at a time: the bytes of a word are added in two halves that cannot overflow into each other. */
function halveWords(source: Int32Array, out: Int32Array, from: ReducedPlane, to: ReducedPlane): void {
  const stride = from.width >> 2;
  const count = to.width >> 2;
  for (let y = 0; y < to.height; y++) {
    const above = 2 * y * stride;
    halveRow(source, above, 2 * y + 1 < from.height ? above + stride : above, out, y * count, count);
  }
}

function halveRow(source: Int32Array, above: number, below: number, out: Int32Array, at: number, count: number): void {
  for (const end = at + count; at < end; at++, above += 2, below += 2) {
    const a = source[above]!;
    const b = source[below]!;
    const c = source[above + 1]!;
    const d = source[below + 1]!;
    const left = ((a & EVEN) + ((a >>> 8) & EVEN) + (b & EVEN) + ((b >>> 8) & EVEN) + ROUND) >>> 2;
    const right = ((c & EVEN) + ((c >>> 8) & EVEN) + (d & EVEN) + ((d >>> 8) & EVEN) + ROUND) >>> 2;
    out[at] = (left & 255) | ((left >>> 8) & 0xff00) | ((right & 255) << 16) | ((right & 0xff0000) << 8);
  }
}

function halveSamples(from: ReducedPlane, to: ReducedPlane): void {
  for (let y = 0; y < to.height; y++) {
    const above = 2 * y * from.width;
    const below = 2 * y + 1 < from.height ? above + from.width : above;
    for (let x = 0; x < to.width; x++) {
      const left = 2 * x;
      const right = Math.min(left + 1, from.width - 1);
      const sum =
        from.samples[above + left]! +
        from.samples[above + right]! +
        from.samples[below + left]! +
        from.samples[below + right]!;
      to.samples[y * to.width + x] = (sum + 2) >> 2;
    }
  }
}
