import type { TrackedFace } from '../core/face-track.ts';
import type { FaceFinder, Picture, PupilFinder } from '../core/vision.ts';
import { associate } from './association.ts';
import { coverArea } from './cover-region.ts';
import { FacePoints } from './face-points.ts';
import { fitIntoField } from './field-fit.ts';
import { scaled } from './geometry.ts';
import { BoxMotion } from './kalman.ts';
import type { LandmarkLocator } from './landmarks.ts';
import { closeLids } from './lids.ts';
import { carryPoints, type FaceTrack } from './lifecycle.ts';
import { asFound, type Found, mergeLooks } from './merge.ts';
import type { TrackOptions } from './options.ts';
import { findPupils, openEyes } from './pupils.ts';
import { windowAround } from './tiles.ts';

/** The window and the guessed cover grow by this much with every frame on which nothing was found. */
const WINDOW_GROWTH = 0.15;
const COVER_GROWTH = 0.08;
/** Share of the usual lowest score: here it is known that a face is near. */
const LOWER_SCORE = 0.7;

export interface BackSearchTools {
  readonly finder: FaceFinder;
  readonly locator: LandmarkLocator;
  readonly pupils: PupilFinder;
  readonly options: TrackOptions;
}

/** Follows one FaceTrack backwards in time from its first frame, one earlier frame at a call. */
export class BackSearch {
  readonly startSequence: number;
  readonly #track: FaceTrack;
  readonly #motion: BoxMotion;
  readonly #points: FacePoints;
  readonly #tools: BackSearchTools;
  /** It began too dark for the detector, and is looked for in the same way. */
  readonly #lifted: boolean;
  #angle: number;
  #lastBox;
  #lastPoints: Float32Array | undefined;
  #timestampUs: number;
  #missed = 0;

  constructor(track: FaceTrack, timestampUs: number, tools: BackSearchTools) {
    this.startSequence = track.startSequence;
    this.#track = track;
    this.#tools = tools;
    this.#lastBox = track.motion.box;
    this.#motion = new BoxMotion(this.#lastBox);
    this.#points = new FacePoints(tools.options.smoothing);
    this.#angle = track.angle;
    this.#lifted = track.lifted;
    this.#lastPoints = track.trusted ? track.lastPoints : undefined;
    this.#timestampUs = timestampUs;
  }

  async step(picture: Picture, timestampUs: number): Promise<TrackedFace> {
    const { finder, options } = this.#tools;
    const dt = Math.abs(this.#timestampUs - timestampUs) / 1e6;
    this.#timestampUs = timestampUs;
    const box = this.#motion.predict(dt, this.#missed > 0);
    const turns = ([0, 3, 2, 1] as const)[((Math.round(this.#angle / (Math.PI / 2)) % 4) + 4) % 4]!;
    const reach = 2.2 * (1 + WINDOW_GROWTH * this.#missed);
    const plain = windowAround(scaled(box, reach), picture.format, turns);
    const found: Found[] = [];
    for (const window of this.#lifted ? [plain, { ...plain, lifted: true }] : [plain])
      for (const d of await finder.detect(picture, window, LOWER_SCORE * options.followScore))
        found.push(asFound(d, window, picture.format));
    const faces = mergeLooks(found, options.trustedScore);
    const pair = associate([scaled(box, 1 + COVER_GROWTH * this.#missed)], faces).pairs[0];
    if (!pair) {
      this.#missed++;
      this.#points.reset();
      this.#lastPoints = undefined;
      return this.#solid(0, 1 + COVER_GROWTH * this.#missed);
    }
    const match = faces[pair[1]]!;
    this.#motion.update(match);
    this.#missed = 0;
    return this.#cover(picture, match.score, dt);
  }

  async #cover(picture: Picture, score: number, dt: number): Promise<TrackedFace> {
    const { locator, pupils } = this.#tools;
    const box = this.#motion.box;
    const expected = this.#lastPoints && carryPoints(this.#lastPoints, this.#lastBox, box);
    this.#lastBox = box;
    this.#lastPoints = undefined;
    try {
      const hints = { angle: this.#angle, trustedBefore: expected !== undefined };
      const located = await locator.locate(picture, box, expected ? { ...hints, expected } : hints);
      if (!located.trusted || !this.#track.certain) return this.#solid(score);
      const eyes = await findPupils(pupils, picture, openEyes(located.points, located.roll));
      const face = this.#points.update(located.points, eyes, dt);
      if (!face) return this.#solid(score);
      this.#lastPoints = located.points;
      const area = coverArea(box, located.roll, located.points);
      const driven = this.#track.retargeter.apply(face.own);
      closeLids(driven, face.own, this.#track.neutral.points);
      const fitted = fitIntoField({ ...face, driven });
      if (!fitted) return this.#solid(score);
      return { ...this.#identity(score), cover: 'generated', ...area, ...fitted.face };
    } catch {
      return this.#solid(score);
    }
  }

  #solid(score: number, growth = 1): TrackedFace {
    return { ...this.#identity(score), cover: 'solid', ...coverArea(this.#motion.box, this.#angle, undefined, growth) };
  }

  #identity(score: number) {
    return { trackId: this.#track.trackId, personId: this.#track.personId, score };
  }
}
