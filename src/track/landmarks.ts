import type { Region } from '../core/face-track.ts';
import { cropFromBox, cropFromPoints } from '../core/landmark-crop.ts';
import type { LandmarkFinder, Picture } from '../core/vision.ts';
import { canonicalToPicture, interOcular, invert, mapPoints, rollOf } from './canonical.ts';
import { centreX, centreY } from './geometry.ts';
import type { ShapeModel } from './shape-model.ts';

/** Mean distance of two passes over the inter-ocular distance, above which at least one of them is wrong. */
const MAX_DISAGREEMENT = 0.13;
/** Points outside the picture (of 68) that a trusted face may have. */
const MAX_OUTSIDE = 6;
/** Mean distance to where the points were expected, over the inter-ocular distance, beyond which the box itself is doubted. */
const MAX_SURPRISE = 0.2;
/** A face that was trusted on the last frame may exceed the limits by this factor. */
const SLACK = 1.3;

export interface Located {
  /** 136 numbers, picture pixels. */
  readonly points: Float32Array;
  readonly roll: number;
  readonly trusted: boolean;
}

export interface LocateHints {
  /** Where the last frame's points are expected now. */
  readonly expected?: Float32Array;
  /** Where they were. */
  readonly last?: Float32Array;
  /** Roll to a quarter turn, from the detector. */
  readonly angle: number;
  readonly trustedBefore: boolean;
}

/** Mean point distance over the inter-ocular distance. */
export function disagreement(a: Float32Array, b: Float32Array): number {
  let sum = 0;
  for (let i = 0; i < 68; i++) sum += Math.hypot(a[2 * i]! - b[2 * i]!, a[2 * i + 1]! - b[2 * i + 1]!);
  return sum / 68 / Math.max(1e-3, interOcular(b));
}

/**
 * The 68 points of one face, and whether to believe them. Always two passes from different squares: one from the detector's
 * box, one from points (the last frame's, or those of the first pass). Where the two agree the face is what it seems.
 */
export class LandmarkLocator {
  readonly #finder: LandmarkFinder;
  readonly #shape: ShapeModel;

  constructor(finder: LandmarkFinder, shape: ShapeModel) {
    this.#finder = finder;
    this.#shape = shape;
  }

  async locate(picture: Picture, box: Region, hints: LocateHints): Promise<Located> {
    const slack = hints.trustedBefore ? SLACK : 1;
    const rollBefore = hints.expected ? rollOf(hints.expected) : hints.angle;
    const first = await this.#finder.find(picture, cropFromBox(box, rollBefore));
    let second = await this.#finder.find(
      picture,
      hints.expected ? cropFromPoints(hints.expected, rollBefore) : cropFromPoints(first, rollOf(first)),
    );
    let agree = disagreement(first, second) <= slack * MAX_DISAGREEMENT;
    if (!agree && hints.expected) {
      // The points may have been lost while the box is right: start over from the box.
      second = await this.#finder.find(picture, cropFromPoints(first, rollOf(first)));
      agree = disagreement(first, second) <= MAX_DISAGREEMENT;
    }
    const { last } = hints;
    if (last && hints.expected && disagreement(second, hints.expected) > MAX_SURPRISE) {
      const third = await this.#steadier(picture, box, last, disagreement(second, last));
      if (third) return { points: third, roll: rollOf(third), trusted: true };
    }
    const trusted = agree && this.#believable(second, box, picture, slack);
    return { points: second, roll: rollOf(second), trusted };
  }

  /**
   * A box that is off for one frame moves the expected points with it, and both passes find the same wrong face. What is found from
   * where the points were counts if it moved by less than half as much, and is found again from where it is: of a face that has
   * jumped half lies in that crop, and what is made of it lies half-way, beside a face that is bare.
   */
  async #steadier(picture: Picture, box: Region, last: Float32Array, jump: number): Promise<Float32Array | undefined> {
    const found = await this.#finder.find(picture, cropFromPoints(last, rollOf(last)));
    if (disagreement(found, last) >= jump / 2 || !this.#believable(found, box, picture, SLACK)) return undefined;
    const again = await this.#finder.find(picture, cropFromPoints(found, rollOf(found)));
    return disagreement(again, found) <= MAX_DISAGREEMENT ? found : undefined;
  }

  #believable(points: Float32Array, box: Region, picture: Picture, slack: number): boolean {
    const toPicture = canonicalToPicture(points);
    if (!toPicture || !points.every(Number.isFinite)) return false;
    if (!this.#shape.plausible(mapPoints(invert(toPicture), points), slack)) return false;
    return fitsBox(points, box, slack) && outside(points, picture) <= MAX_OUTSIDE;
  }
}

/** The points' extent against the detector's box: brows to chin is 0.6 to 1.1 of its height in a face. */
function fitsBox(points: Float32Array, box: Region, slack: number): boolean {
  const extent = cropFromPoints(points, rollOf(points));
  const size = Math.max(box.width, box.height);
  const height = extent.side / 1.15;
  const away = Math.hypot(extent.cx - centreX(box), extent.cy - centreY(box)) / size;
  return height > (0.5 * size) / slack && height < 1.15 * size * slack && away < 0.28 * slack;
}

function outside(points: Float32Array, picture: Picture): number {
  const { width, height } = picture.format;
  let count = 0;
  for (let i = 0; i < 68; i++) {
    const x = points[2 * i]!;
    const y = points[2 * i + 1]!;
    if (x < 0 || y < 0 || x > width - 1 || y > height - 1) count++;
  }
  return count;
}
