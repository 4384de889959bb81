import { settle } from '../core/face-mask.ts';
import { type Affine, CROP_SIZE } from '../core/face-track.ts';
import { invert, mapPoints } from './canonical.ts';
import type { CanonicalFace } from './face-points.ts';
import type { DrivenFace } from './field-fit.ts';

/** How far a crop may be from where its points would have it, canonical pixels: training shifted faces by four. */
const SLACK_PX = 0.75;
/** Further than this and all is there at once: somebody moved, or it is another face. */
const LEAP_PX = 6;
const END = CROP_SIZE - 1;
const CORNERS = Float32Array.of(0, 0, END, 0, 0, END, END, END);

/**
 * What stands still while a face does. Aligned anew to points with noise on every frame its crop trembles by a fraction of a pixel, and the edge
 * of its mask with it; the generator answers to both, and that was most of a resting face's flicker. The points that are drawn stay
 * where they are in the picture.
 */
export class RestingFace {
  #crop: Affine | undefined;
  #settled: readonly [own: Float32Array, driven: Float32Array] | undefined;

  /** Crop of the last face; undefined before the first. */
  get crop(): Affine | undefined {
    return this.#crop;
  }

  /** @returns the face in a crop that follows its own at most `SLACK_PX` behind, at every corner of the field */
  follow(face: CanonicalFace & { readonly driven: Float32Array }): DrivenFace {
    const before = this.#crop;
    const crop = this.#next(face.toPicture);
    const inverse = invert(crop);
    const [own, driven, raw] = [face.own, face.driven, face.raw].map((points) =>
      crop === face.toPicture ? points : mapPoints(inverse, mapPoints(face.toPicture, points)),
    ) as [Float32Array, Float32Array, Float32Array];
    const last = this.#settled;
    const rested = (points: Float32Array, which: 0 | 1) => {
      if (!last || !before || crop === face.toPicture) return points.slice(0, 136);
      return settle(crop === before ? last[which] : mapPoints(inverse, mapPoints(before, last[which])), points);
    };
    this.#crop = crop;
    this.#settled = [rested(own, 0), rested(driven, 1)];
    return { toPicture: crop, own, driven, raw, settled: this.#settled };
  }

  /** `wanted` itself where nothing is to be kept. */
  #next(wanted: Affine): Affine {
    const before = this.#crop;
    if (!before) return wanted;
    const off = farthest(mapPoints(invert(before), mapPoints(wanted, CORNERS)));
    // NaN fails the comparison.
    if (!(off <= LEAP_PX)) return wanted;
    return off <= SLACK_PX ? before : between(before, wanted, 1 - SLACK_PX / off);
  }
}

function farthest(corners: Float32Array): number {
  let most = 0;
  for (let i = 0; i < corners.length; i += 2)
    most = Math.max(most, Math.hypot(corners[i]! - CORNERS[i]!, corners[i + 1]! - CORNERS[i + 1]!));
  return most;
}

function between(from: Affine, to: Affine, share: number): Affine {
  const at = (key: keyof Affine) => from[key] + share * (to[key] - from[key]);
  return { a: at('a'), b: at('b'), c: at('c'), d: at('d'), e: at('e'), f: at('f') };
}
