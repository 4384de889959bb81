import { type Affine, LANDMARK_COUNT } from '../core/face-track.ts';
import { canonicalToPicture, invert, mapPoints } from './canonical.ts';
import { PointSmoother } from './one-euro.ts';
import type { SmoothingOptions } from './options.ts';

/** One frame of a face's points in its canonical crop. */
export interface CanonicalFace {
  readonly toPicture: Affine;
  /** 140 numbers each, canonical-crop pixels. */
  readonly own: Float32Array;
  readonly raw: Float32Array;
}

/** 68 points and two pupils of one FaceTrack over time, smoothed where the size of the face does not matter. */
export class FacePoints {
  readonly #smoother: PointSmoother;
  #face: CanonicalFace | undefined;

  constructor(smoothing: SmoothingOptions) {
    this.#smoother = new PointSmoother(LANDMARK_COUNT, smoothing);
  }

  get face(): CanonicalFace | undefined {
    return this.#face;
  }

  /** Forgets the motion: the next points are taken as they are. */
  reset(): void {
    this.#smoother.reset();
    this.#face = undefined;
  }

  /**
   * The last crop serves as the frame of reference in which the new points are filtered, so that the filter sees
   * canonical pixels; the crop then follows the filtered points.
   * @param points 136 numbers and `pupils` 4, picture pixels; `dt` seconds since the last frame
   * @returns undefined when the points span no crop
   */
  update(points: Float32Array, pupils: Float32Array, dt: number): CanonicalFace | undefined {
    const found = new Float32Array(2 * LANDMARK_COUNT);
    found.set(points.subarray(0, 136));
    found.set(pupils, 136);
    const before = this.#face;
    let smooth: Float32Array = found;
    if (before) {
      const inLast = mapPoints(invert(before.toPicture), found);
      const filtered = Float32Array.from(before.own);
      this.#smoother.step(filtered, inLast, dt);
      smooth = mapPoints(before.toPicture, filtered);
    }
    const toPicture = canonicalToPicture(smooth);
    if (!toPicture) {
      this.reset();
      return undefined;
    }
    const inverse = invert(toPicture);
    this.#face = { toPicture, own: mapPoints(inverse, smooth), raw: mapPoints(inverse, found) };
    return this.#face;
  }
}
