import { CROP_SIZE } from '../core/face-track.ts';
import { softenMask } from './soft-mask.ts';

/** Share of a new frame's estimate in the running one. */
const RATE = 0.1;
const BLOCK = 8;
/** Of the canonical crop: brows to chin, between the cheeks. */
const [X0, X1, Y0, Y1] = [32, 96, 32, 112];
const BLOCKS = ((X1 - X0) / BLOCK) * ((Y1 - Y0) / BLOCK);
/** Fewer blocks than these within the face say nothing. */
const MIN_BLOCKS = 12;
/** Quantiles over blocks: the quiet ones are skin, the others eyes, nostrils, lips. */
const [QUIET, SKIN, EDGES] = [0.25, 0.4, 0.85];
const MARGIN = 1.25;
/** Luma steps in quiet blocks up to which edges can be told from noise, and from which they cannot: it hides softness then. */
const [CLEAR, NOISY] = [2, 3.5];
/** Luma steps below which skin is sharpened less, in proportion. */
const BRIGHT = 100;
/** More than this makes halos. */
const MOST_SHARPENED = 1.5;
/** Of the original's, edges and skin: a little softer is not seen, sharper is. */
const [WANTED, WANTED_TEXTURE] = [0.8, 0.65];
/** Relative deviation of luma; freckles and stubble are more, and are the person's own. */
const MOST_TEXTURE = 0.01;

/** Of 255. */
const BESIDE = 140;
/** Picture pixels per canonical pixel. */
const [SHOWN_FROM, SHOWN_WHOLE] = [0.8, 1.3];
/** The crop is interpolated, which averages. */
const NOISE_IN_CROP = 0.7;
const weights = new Uint8Array(CROP_SIZE * CROP_SIZE);
const pairs = new Uint8Array(2 * CROP_SIZE * CROP_SIZE);

/** Relative fine energy of a face's blocks at the resolution of the canonical crop, by quantile. */
interface Fineness {
  readonly skin: number;
  readonly edges: number;
  /** Of the quiet blocks, luma steps. */
  readonly quiet: number;
  /** How bright the skin is, luma steps. */
  readonly level: number;
}

/**
 * How much finer one FaceTrack's generated face has to be drawn to look as sharp as its picture: a generator of 128² pixels that is enlarged is soft, and
 * its skin is smooth. Two numbers of the original, as for the grain: how sharp its edges are and how rough its skin, neither where.
 */
export class Sharpness {
  #sharpening: number | undefined;
  #texture = 0;
  /** 128²: how much of the texture a canonical pixel gets. */
  readonly skin = new Uint8Array(CROP_SIZE * CROP_SIZE);

  /** Gain of the band that the canonical crop just holds, less 1: 0 to 1.5. */
  get sharpening(): number {
    return this.#sharpening ?? 0;
  }

  /** Deviation of the skin's texture at that resolution, relative to luma. */
  get texture(): number {
    return this.#texture;
  }

  /**
   * Brings the numbers up to date and sharpens a finished face in place.
   * @param crop the original's canonical crop, RGBA 128² @param face RGBA, size² @param hull 128², not 0 where both have a face
   * @param scale picture pixels per canonical pixel @param noise deviation of the camera's noise, luma steps
   */
  finish(crop: Uint8Array, face: Uint8Array, hull: Uint8Array, scale: number, noise: number): void {
    const size = Math.sqrt(face.length / 4);
    this.#look(crop, face, size, hull, NOISE_IN_CROP * noise);
    // A small face's picture does not hold the band: it would flicker.
    const shown = Math.max(0, Math.min(1, (scale - SHOWN_FROM) / (SHOWN_WHOLE - SHOWN_FROM)));
    softenMask(hull, hull, pairs);
    for (let i = 0; i < this.skin.length; i++) this.skin[i] = shown * pairs[2 * i + 1]!;
    // Beside the face lies what was invented or grown in: its blots are better left a little soft.
    for (let i = 0; i < weights.length; i++) weights[i] = Math.max(BESIDE * shown, this.skin[i]!);
    sharpen(face, size, this.sharpening, weights);
  }

  #look(crop: Uint8Array, face: Uint8Array, size: number, hull: Uint8Array, noise: number): void {
    const original = fineness(crop, CROP_SIZE, hull, noise);
    const own = fineness(face, size, hull, 0);
    if (!original || !own) return;
    const ratio = (WANTED * original.edges) / Math.max(own.edges, 1e-4);
    // The kernel lets three quarters of the band through that edges lie in.
    const sharpening = Math.max(0, Math.min(MOST_SHARPENED, (ratio - 1) / 0.75));
    // The generator draws dark skin in blots.
    const lit = Math.min(1, own.level / BRIGHT);
    const clear = Math.max(0, Math.min(1, (NOISY - original.quiet) / (NOISY - CLEAR)));
    const missing = Math.sqrt(Math.max(0, original.skin ** 2 - own.skin ** 2));
    const texture = Math.min(MOST_TEXTURE, WANTED_TEXTURE * missing);
    const rate = this.#sharpening === undefined ? 1 : RATE;
    this.#sharpening = this.sharpening + rate * (clear * lit * sharpening - this.sharpening);
    this.#texture += rate * (texture - this.#texture);
  }
}

const sigmas = new Float32Array(BLOCKS);
const levels = new Float32Array(BLOCKS);
const sorted = new Float32Array(BLOCKS);

/** Immerkær's measure (1996) over blocks of 8×8 canonical pixels, of green over its mean. @param noise luma steps */
function fineness(rgba: Uint8Array, size: number, hull: Uint8Array, noise: number): Fineness | undefined {
  const per = size / CROP_SIZE;
  let count = 0;
  for (let y = Y0; y < Y1; y += BLOCK) {
    for (let x = X0; x < X1; x += BLOCK) {
      const outside = (at: number) => hull[at] === 0;
      const at = y * CROP_SIZE + x;
      if (outside(at) || outside(at + BLOCK)) continue;
      if (outside(at + BLOCK * CROP_SIZE) || outside(at + BLOCK * (CROP_SIZE + 1))) continue;
      measureBlock(rgba, 4 * (y * per * size + x * per) + 1, 4 * per * size, 4 * per, count++);
    }
  }
  if (count < MIN_BLOCKS) return undefined;
  const quantile = (q: number, value: (block: number) => number) => {
    const part = sorted.subarray(0, count);
    for (let i = 0; i < count; i++) part[i] = value(i);
    return part.sort()[Math.floor(q * count)]!;
  };
  // Noise is the same everywhere, and its estimate is not.
  const quiet = quantile(QUIET, (i) => sigmas[i]!);
  const floor = MARGIN * quiet;
  const over = (i: number, less: number) => Math.sqrt(Math.max(0, sigmas[i]! ** 2 - less ** 2)) / levels[i]!;
  const level = quantile(0.5, (i) => levels[i]!);
  return { quiet, level, skin: quantile(SKIN, (i) => over(i, noise)), edges: quantile(EDGES, (i) => over(i, floor)) };
}

function measureBlock(plane: Uint8Array, at: number, stride: number, step: number, block: number): void {
  let [sum, level] = [0, 0];
  for (let j = 0; j < BLOCK; j++) {
    for (let i = j & 1; i < BLOCK; i += 2) {
      const p = at + j * stride + i * step;
      const [up, down] = [p - stride, p + stride];
      const corners = plane[up - step]! + plane[up + step]! + plane[down - step]! + plane[down + step]!;
      const sides = plane[up]! + plane[down]! + plane[p - step]! + plane[p + step]!;
      sum += Math.abs(corners - 2 * sides + 4 * plane[p]!);
      level += plane[p]!;
    }
  }
  const samples = (BLOCK * BLOCK) / 2;
  sigmas[block] = (Math.sqrt(Math.PI / 2) * sum) / (6 * samples);
  levels[block] = Math.max(10, level / samples);
}

let lumas = new Int16Array();

/**
 * Unsharp masking (binomial 3×3, spaced as the canonical crop's pixels) of a face's luma in place; chroma and alpha stay.
 * @param face RGBA, size² @param amount as `Sharpness.sharpening` @param weights 128²
 */
export function sharpen(face: Uint8Array, size: number, amount: number, weights: Uint8Array): void {
  if (!(amount > 0)) return;
  // Sixteenths, of the kernel and of luma.
  const strength = amount / (256 * 255);
  const step = size / CROP_SIZE;
  if (lumas.length < size * size) lumas = new Int16Array(size * size);
  for (let i = 0, p = 0; i < size * size; i++, p += 4)
    lumas[i] = (77 * face[p]! + 150 * face[p + 1]! + 29 * face[p + 2]!) >> 4;
  for (let y = step; y < size - step; y++) {
    for (let x = step; x < size - step; x++) {
      const i = y * size + x;
      const weight = weights[Math.floor(y / step) * CROP_SIZE + Math.floor(x / step)]!;
      if (weight === 0) continue;
      const [up, down] = [i - step * size, i + step * size];
      const sides = lumas[up]! + lumas[down]! + lumas[i - step]! + lumas[i + step]!;
      const corners = lumas[up - step]! + lumas[up + step]! + lumas[down - step]! + lumas[down + step]!;
      const more = strength * weight * (12 * lumas[i]! - 2 * sides - corners);
      for (let p = 4 * i; p < 4 * i + 3; p++) {
        const value = face[p]! + more;
        face[p] = value < 0 ? 0 : value > 255 ? 255 : value + 0.5;
      }
    }
  }
}
