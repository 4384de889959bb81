import type { Box } from './plane-blend.ts';

/** Share of a new frame's estimate in the running one. */
const RATE = 0.1;
/** Luma steps; stronger grain than this is texture taken for grain. */
const MAX_SIGMA = 10;
/** Below this nobody sees it, and the encoder is spared. */
const MIN_SIGMA = 0.6;
/** A power of two: readers wrap with a mask. */
const TABLE = 1 << 14;
const BLOCK = 8;
const MAX_BLOCKS = 160;
/** Quantile over blocks: flat parts show the grain, the others hair, cloth and edges. */
const QUIETEST = 0.25;

/** Gaussian numbers of deviation 1; neighbours are correlated a little, as they are in any compressed picture. */
const gaussian = table();

/**
 * Synthetic noise of the strength of the picture around a face, so that the smooth generated face doesn't look pasted.
 * One per FaceTrack. No sample of the picture goes into it but one number, its strength.
 */
export class Grain {
  #sigma: number | undefined;
  readonly #row = new Int8Array(TABLE);
  #rowSigma = 0;
  #seed = 1;

  /** Deviation in luma steps; 0 before the first look. */
  get sigma(): number {
    return this.#sigma ?? 0;
  }

  /**
   * Takes the surroundings' grain less the face's own.
   * @param luma of the picture @param face luma of the drawn box, every fourth byte
   */
  look(luma: Uint8Array, stride: number, height: number, box: Box, face: Uint8Array): void {
    const around = ringSigma(luma, stride, height, box);
    if (around === undefined) return;
    const own = faceSigma(face, box);
    const now = Math.min(MAX_SIGMA, Math.sqrt(Math.max(0, around * around - own * own)));
    this.#sigma = this.#sigma === undefined ? now : this.#sigma + RATE * (now - this.#sigma);
  }

  /** A table to read a row's noise from, at `start()` and on; `undefined` when there is nothing to add. */
  row(): Int8Array | undefined {
    if (this.sigma < MIN_SIGMA) return undefined;
    if (Math.abs(this.#rowSigma - this.sigma) > 0.1) {
      this.#rowSigma = this.sigma;
      for (let i = 0; i < TABLE; i++) this.#row[i] = Math.round(gaussian[i]! * this.sigma);
    }
    return this.#row;
  }

  /** Where the next row's noise begins: another place each time, so that the grain moves. */
  start(): number {
    this.#seed = (Math.imul(this.#seed, 1664525) + 1013904223) >>> 0;
    return this.#seed >>> 19;
  }
}

/** Noise deviation in the ring around a box, a quarter of its size wide; `undefined` where the ring has no usable block. */
function ringSigma(luma: Uint8Array, stride: number, height: number, box: Box): number | undefined {
  const ring = Math.max(2 * BLOCK, Math.round(Math.max(box.width, box.height) / 4));
  const [x0, y0] = [Math.max(1, box.x - ring), Math.max(1, box.y - ring)];
  const x1 = Math.min(stride - 1, box.x + box.width + ring) - BLOCK;
  const y1 = Math.min(height - 1, box.y + box.height + ring) - BLOCK;
  const step = Math.max(BLOCK, Math.ceil(Math.sqrt(((x1 - x0) * (y1 - y0)) / (2 * MAX_BLOCKS))));
  const found: number[] = [];
  for (let y = y0; y <= y1; y += step) {
    const beside = y + BLOCK <= box.y || y >= box.y + box.height;
    for (let x = x0; x <= x1; x += step) {
      if (!beside && x + BLOCK > box.x && x < box.x + box.width) continue;
      const sigma = blockSigma(luma, y * stride + x, stride, 1);
      if (sigma !== undefined) found.push(sigma);
    }
  }
  return quietest(found);
}

function faceSigma(face: Uint8Array, { width, height }: Box): number {
  const found: number[] = [];
  const step = Math.max(BLOCK, Math.ceil(Math.sqrt((width * height) / MAX_BLOCKS)));
  for (let y = 1; y + BLOCK < height; y += step) {
    for (let x = 1; x + BLOCK < width; x += step) {
      const at = 4 * (y * width + x);
      if (face[at + 3] !== 255 || face[at + 4 * (BLOCK * width + BLOCK) + 3] !== 255) continue;
      const sigma = blockSigma(face, at, 4 * width, 4);
      if (sigma !== undefined) found.push(sigma);
    }
  }
  return quietest(found) ?? 0;
}

/** Immerkær (1996) on every second sample of a block; `undefined` in clipped shadows and lights, which hide the grain. */
export function blockSigma(plane: Uint8Array, at: number, stride: number, step: number): number | undefined {
  let sum = 0;
  let count = 0;
  for (let j = 0; j < BLOCK; j += 2) {
    for (let i = j & 2 ? 1 : 0; i < BLOCK; i += 2, count++) {
      const p = at + j * stride + i * step;
      const value = plane[p]!;
      if (value < 20 || value > 232) return undefined;
      const [up, down] = [p - stride, p + stride];
      const corners = plane[up - step]! + plane[up + step]! + plane[down - step]! + plane[down + step]!;
      const sides = plane[up]! + plane[down]! + plane[p - step]! + plane[p + step]!;
      sum += Math.abs(corners - 2 * sides + 4 * value);
    }
  }
  return (Math.sqrt(Math.PI / 2) * sum) / (6 * count);
}

function quietest(found: number[]): number | undefined {
  if (found.length < 4) return undefined;
  found.sort((a, b) => a - b);
  return found[Math.floor(QUIETEST * found.length)];
}

function table(): Float32Array {
  const white = Float32Array.from({ length: TABLE + 2 }, () => {
    const radius = Math.sqrt(-2 * Math.log(1 - Math.random()));
    return radius * Math.cos(2 * Math.PI * Math.random());
  });
  const norm = 1 / Math.hypot(0.35, 1, 0.35);
  return Float32Array.from(
    { length: TABLE },
    (_, i) => norm * (0.35 * white[i]! + white[i + 1]! + 0.35 * white[i + 2]!),
  );
}
