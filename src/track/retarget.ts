import { hkdfSync } from 'node:crypto';
import { CROP_SIZE } from '../core/face-track.ts';
import { interOcular, meanPoint } from './canonical.ts';
import type { ShapeModel } from './shape-model.ts';

/** Lid and inner-lip pairs, upper first: both move alike, so that blinks and speech stay what they are. */
const LIDS = [37, 41, 38, 40, 43, 47, 44, 46] as const;
const INNER_LIPS = [61, 67, 62, 66, 63, 65] as const;
/** Outer lip points with the inner one they lie over: lips may get thicker by at most 0.03 inter-ocular. */
const OUTER_LIPS = [50, 61, 51, 62, 52, 63, 58, 67, 57, 66, 56, 65] as const;
const MAX_THICKENING = 0.03;
/** Time in which the offset goes most of the way to a new target: a median that jumps must not be seen. */
const SETTLE_SECONDS = 0.7;

/** iBUG index of the same point on the other half of the face. */
const MIRROR = Uint8Array.from(
  [
    [16, 15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0, 26, 25, 24, 23, 22, 21, 20, 19, 18, 17, 27, 28, 29, 30],
    [
      35, 34, 33, 32, 31, 45, 44, 43, 42, 47, 46, 39, 38, 37, 36, 41, 40, 54, 53, 52, 51, 50, 49, 48, 59, 58, 57, 56,
      55,
    ],
    [64, 63, 62, 61, 60, 67, 66, 65],
  ].flat(),
);

/** The part of a shape that does not change in a mirror: what turning the head adds is left out. */
export function symmetric(points: Float32Array): Float32Array {
  const result = new Float32Array(136);
  for (let i = 0; i < 68; i++) {
    const j = MIRROR[i]!;
    result[2 * i] = (points[2 * i]! + CROP_SIZE - points[2 * j]!) / 2;
    result[2 * i + 1] = (points[2 * i + 1]! + points[2 * j + 1]!) / 2;
  }
  return result;
}

/** Standard normal numbers from a key by HKDF-SHA-256 and Box–Muller: the same for the same key and name. */
export function keyedNormals(sessionKey: Uint8Array, name: string, count: number): Float64Array {
  const bytes = hkdfSync('sha256', sessionKey, new Uint8Array(0), name, 8 * Math.ceil(count / 2));
  const words = new DataView(bytes);
  const uniform = (i: number) => (words.getUint32(4 * i, true) + 0.5) / 2 ** 32;
  return Float64Array.from({ length: count }, (_, i) => {
    const radius = Math.sqrt(-2 * Math.log(uniform(i & ~1)));
    const angle = 2 * Math.PI * uniform((i & ~1) + 1);
    return radius * (i & 1 ? Math.sin(angle) : Math.cos(angle));
  });
}

/** The neutral shape of one person's understudy, mirror-symmetric: 136 numbers in canonical-crop pixels. */
export function understudyShape(model: ShapeModel, sessionKey: Uint8Array, personId: number): Float32Array {
  return symmetric(model.shape(keyedNormals(sessionKey, `shape:${personId}`, model.sigma.length)));
}

/** What has to be added to a face's points so that its resting shape becomes the understudy's. 136 numbers. */
export function retargetOffset(understudy: Float32Array, ownNeutral: Float32Array, cap: number): Float32Array {
  const own = symmetric(ownNeutral);
  const eyes = interOcular(ownNeutral);
  const offset = Float32Array.from(understudy, (v, i) => v - own[i]!);
  const level = (i: number, j: number) => {
    for (const axis of [0, 1]) {
      const mean = (offset[2 * i + axis]! + offset[2 * j + axis]!) / 2;
      offset[2 * i + axis] = mean;
      offset[2 * j + axis] = mean;
    }
  };
  for (let k = 0; k < LIDS.length; k += 2) level(LIDS[k]!, LIDS[k + 1]!);
  for (let k = 0; k < INNER_LIPS.length; k += 2) level(INNER_LIPS[k]!, INNER_LIPS[k + 1]!);
  for (let k = 0; k < OUTER_LIPS.length; k += 2) {
    const outer = 2 * OUTER_LIPS[k]! + 1;
    const inner = offset[2 * OUTER_LIPS[k + 1]! + 1]!;
    const limit = MAX_THICKENING * eyes;
    offset[outer] = inner + Math.max(-limit, Math.min(limit, offset[outer]! - inner));
  }
  for (let i = 0; i < 68; i++) {
    const length = Math.hypot(offset[2 * i]!, offset[2 * i + 1]!);
    const factor = length > cap * eyes ? (cap * eyes) / length : 1;
    offset[2 * i] = offset[2 * i]! * factor;
    offset[2 * i + 1] = offset[2 * i + 1]! * factor;
  }
  // The cap scales points one by one; pairs that must stay together get it together.
  for (let k = 0; k < LIDS.length; k += 2) level(LIDS[k]!, LIDS[k + 1]!);
  for (let k = 0; k < INNER_LIPS.length; k += 2) level(INNER_LIPS[k]!, INNER_LIPS[k + 1]!);
  return offset;
}

/** The offset of one FaceTrack over time. */
export class Retargeter {
  #offset: Float32Array | undefined;

  /** Glides towards `target`; the first one is taken at once. @param dt seconds since the last call */
  settle(target: Float32Array, dt: number): void {
    if (!this.#offset) {
      this.#offset = Float32Array.from(target);
      return;
    }
    const share = 1 - Math.exp(-Math.max(0, dt) / SETTLE_SECONDS);
    for (let i = 0; i < target.length; i++)
      this.#offset[i] = this.#offset[i]! + share * (target[i]! - this.#offset[i]!);
  }

  /** @param own 140 numbers, canonical-crop pixels; pupils move with their eyes, unknown ones stay unknown */
  apply(own: Float32Array): Float32Array {
    const driven = Float32Array.from(own);
    const offset = this.#offset;
    if (!offset) return driven;
    for (let i = 0; i < 136; i++) driven[i] = driven[i]! + offset[i]!;
    for (const [pupil, from] of [
      [68, 36],
      [69, 42],
    ] as const) {
      if (own[2 * pupil]! <= -1000) continue;
      const shift = meanPoint(offset, from, from + 6);
      driven[2 * pupil] = driven[2 * pupil]! + shift.x;
      driven[2 * pupil + 1] = driven[2 * pupil + 1]! + shift.y;
    }
    return driven;
  }
}
