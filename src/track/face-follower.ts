import type { TrackedFace } from '../core/face-track.ts';
import type { Picture, PupilFinder } from '../core/vision.ts';
import { rollOf } from './canonical.ts';
import { coverArea } from './cover-region.ts';
import { fitIntoField } from './field-fit.ts';
import { jawExtents, widened } from './jaw-edge.ts';
import type { LandmarkLocator, Located } from './landmarks.ts';
import { closeLids } from './lids.ts';
import type { FaceTrack } from './lifecycle.ts';
import type { TrackOptions } from './options.ts';
import { MAX_PERSONS, type PersonGallery } from './person.ts';
import { retargetOffset, understudyShape } from './retarget.ts';
import type { ShapeModel } from './shape-model.ts';

/** A face with fewer pixels between its eyes, or less of a score, gives a poor embedding. */
const GOOD_EYES_PX = 24;
/** A FaceTrack whose first embedding was poor gets another one within this many frames, and none later: no flips. */
const SECOND_LOOK_FRAMES = 5;

export interface FollowerTools {
  readonly locator: LandmarkLocator;
  readonly pupils: PupilFinder;
  readonly gallery: PersonGallery;
  readonly shape: ShapeModel;
  readonly options: TrackOptions;
}

export interface Moment {
  readonly picture: Picture;
  readonly timestampUs: number;
  /** Seconds since the last frame. */
  readonly dt: number;
  readonly damaged: boolean;
  /** Persons of the other FaceTracks on this frame. */
  readonly taken: ReadonlySet<number>;
}

/** Turns a FaceTrack that was found, or missed, on a frame into what later stages need to cover it. */
export class FaceFollower {
  readonly #tools: FollowerTools;
  readonly #understudies = new Map<number, Float32Array>();

  constructor(tools: FollowerTools) {
    this.#tools = tools;
  }

  /** @returns the cover of a FaceTrack whose box was found on this frame; never throws */
  async found(track: FaceTrack, now: Moment): Promise<TrackedFace> {
    const box = track.motion.box;
    let located: Located | undefined;
    try {
      const expected = track.expectedPoints(box);
      const { angle, trusted: trustedBefore, lastPoints: last } = track;
      const hints = { angle, trustedBefore, ...(last && { last }), ...(expected && { expected }) };
      located = await this.#tools.locator.locate(now.picture, box, hints);
      const eyes = located.trusted
        ? await track.gaze.find(this.#tools.pupils, now.picture, located.points, located.roll)
        : undefined;
      const face = eyes && track.points.update(located.points, eyes, now.dt);
      track.lastBox = box;
      track.lastPoints = located.points;
      const cover = track.seen(face !== undefined);
      if (face && track.certain && !now.damaged) await this.#learn(track, located, now);
      if (face && cover === 'generated') {
        const extents = track.jaw.update(jawExtents(now.picture, face.toPicture, face.own), now.dt);
        const moved = track.retargeter.apply(face.own);
        closeLids(moved, face.own, track.neutral.points);
        const [own, driven] = [face.own, moved].map((points) => widened(points, extents));
        const fitted = fitIntoField(track.resting.follow({ ...face, own: own!, driven: driven! }));
        track.fit = fitted?.fit;
        const area = coverArea(box, located.roll, located.points);
        if (fitted) return { ...identity(track), cover, ...area, ...fitted.face };
      }
    } catch {
      track.seen(false);
    }
    if (!track.trusted) track.forgetMotion();
    const points = located?.trusted ? located.points : undefined;
    return {
      ...identity(track),
      cover: 'solid',
      ...coverArea(box, located?.trusted ? located.roll : track.angle, points),
    };
  }

  /**
   * @param dt seconds since the last frame
   * @returns the cover of a FaceTrack that was not found: the last face moved along, or a solid area that grows
   */
  missed(track: FaceTrack, dt: number): TrackedFace {
    const cover = track.miss(dt);
    const box = track.motion.box;
    const growth = 1 + Math.min(0.6, track.motion.positionSd / Math.max(box.width, box.height));
    const toPicture = cover === 'held' ? track.heldCrop : undefined;
    const angle = track.lastPoints && toPicture ? rollOf(track.lastPoints) : track.angle;
    const area = coverArea(box, angle, undefined, growth);
    if (!toPicture) return { ...identity(track), cover: 'solid', ...area };
    return { ...identity(track), cover, ...area, toPicture };
  }

  async #learn(track: FaceTrack, located: Located, now: Moment): Promise<void> {
    const { gallery, options } = this.#tools;
    const own = track.points.face!.own;
    const eyesPx = Math.hypot(located.points[72]! - located.points[90]!, located.points[73]! - located.points[91]!);
    const poor = eyesPx < GOOD_EYES_PX * 1.5 || track.score < options.trustedScore;
    const first = track.identified === 0;
    const again = track.identified === 1 && !poor && track.trustedFrames <= SECOND_LOOK_FRAMES;
    if (first || again) {
      track.personId = await gallery.identify(now.picture, located.points, track.personId, now.taken);
      track.identified = first && poor ? 1 : 2;
    }
    if (options.retargetCap <= 0) return;
    track.neutral.add(own, now.timestampUs);
    const offset = retargetOffset(this.#understudy(track.personId), track.neutral.points ?? own, options.retargetCap);
    track.retargeter.settle(offset, now.dt);
  }

  #understudy(personId: number): Float32Array {
    const { shape, options } = this.#tools;
    const drawn = this.#understudies.get(personId) ?? understudyShape(shape, options.sessionKey, personId);
    // Put at the end again. Who has been forgotten is drawn again, and drawn the same.
    this.#understudies.delete(personId);
    this.#understudies.set(personId, drawn);
    if (this.#understudies.size > MAX_PERSONS)
      this.#understudies.delete(this.#understudies.keys().next().value as number);
    return drawn;
  }
}

function identity(track: FaceTrack) {
  return { trackId: track.trackId, personId: track.personId, score: track.score };
}
