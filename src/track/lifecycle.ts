import type { Affine, Cover, Region } from '../core/face-track.ts';
import { moved } from './canonical.ts';
import { FacePoints } from './face-points.ts';
import { type FieldFit, fittedCrop } from './field-fit.ts';
import { Gaze } from './gaze.ts';
import { centreX, centreY, intersection } from './geometry.ts';
import { JawEdge } from './jaw-edge.ts';
import { BoxMotion } from './kalman.ts';
import type { Found } from './merge.ts';
import { NeutralShape } from './neutral.ts';
import type { TrackOptions } from './options.ts';
import { RestingFace } from './resting-face.ts';
import { Retargeter } from './retarget.ts';

/** A find that was never certain and seen less often than this lingers for DOUBTFUL_FRAMES only. */
const DOUBTFUL_HITS = 3;
const DOUBTFUL_FRAMES = 8;
/** At low rates frames are too long: nobody holds still for a second. */
const HOLD_SECONDS = 0.26;

/** Seen without more light for so long, a face is dark no more. */
const DARK_FRAMES = 12;

/**
 * One face over time: live → missed (held on its predicted motion, then solid) → gone. There is no state in which it is
 * followed but not covered.
 */
export class FaceTrack {
  readonly trackId: number;
  readonly startSequence: number;
  readonly motion: BoxMotion;
  readonly points: FacePoints;
  readonly gaze = new Gaze();
  readonly neutral = new NeutralShape();
  readonly resting = new RestingFace();
  readonly retargeter = new Retargeter();
  readonly jaw = new JawEdge();
  personId: number;
  /** Embeddings taken so far, and frames with trusted landmarks. */
  identified = 0;
  trustedFrames = 0;
  /** Roll to a quarter turn as the detector saw it. */
  angle: number;
  /** Frames for which it still counts as too dark for the detector: it was seen where dark parts had been lightened. */
  #darkFrames: number;
  score: number;
  missed = 0;
  /** Seconds since it was found last. */
  #missedFor = 0;
  cover: Cover = 'solid';
  /** Last points in picture pixels, the box they belong to and whether they were trusted. */
  lastPoints: Float32Array | undefined;
  lastBox: Region;
  trusted = false;
  /** How the last generated face was fitted into the canonical field. */
  fit: FieldFit | undefined;
  #bestScore: number;
  #hits = 1;
  #trustRun = 0;
  #wasSolid = false;
  readonly #options: TrackOptions;

  constructor(trackId: number, personId: number, sequence: number, found: Found, options: TrackOptions) {
    this.trackId = trackId;
    this.personId = personId;
    this.startSequence = sequence;
    this.motion = new BoxMotion(found);
    this.points = new FacePoints(options.smoothing);
    this.angle = found.angle;
    this.#darkFrames = found.lifted ? DARK_FRAMES : 0;
    this.score = found.score;
    this.lastBox = found;
    this.#bestScore = found.score;
    this.#options = options;
  }

  /** It was seen lately where dark parts had been lightened: for the detector it is too dark. */
  get lifted(): boolean {
    return this.#darkFrames > 0;
  }

  /** The detector was once sure of this face. */
  get certain(): boolean {
    return this.#bestScore >= this.#options.trustedScore;
  }

  predict(dt: number): Region {
    return this.motion.predict(dt, this.missed > 0);
  }

  found(found: Found): void {
    this.motion.update(found);
    if (this.missed > 0) this.forgetMotion();
    this.missed = 0;
    this.#missedFor = 0;
    this.#hits++;
    this.angle = found.angle;
    this.#darkFrames = found.lifted ? DARK_FRAMES : Math.max(0, this.#darkFrames - 1);
    this.score = found.score;
    this.#bestScore = Math.max(this.#bestScore, found.score);
  }

  /** The next points and pupils are taken as they are. */
  forgetMotion(): void {
    this.points.reset();
    this.gaze.reset();
  }

  /** Decides the cover of a frame on which the face was found. */
  seen(trusted: boolean): Cover {
    this.trusted = trusted;
    const good = trusted && this.certain;
    this.#trustRun = good ? this.#trustRun + 1 : 0;
    if (good) this.trustedFrames++;
    const recovered = !this.#wasSolid || this.#trustRun >= this.#options.recoverFrames;
    this.#setCover(good && recovered ? 'generated' : 'solid');
    return this.cover;
  }

  /** Decides the cover of a frame on which it was not. @param dt seconds since the last frame */
  miss(dt: number): Cover {
    this.missed++;
    this.#missedFor += dt;
    this.#trustRun = 0;
    const canHold = this.cover !== 'solid' && this.points.face !== undefined;
    const still = this.missed <= this.#options.holdFrames && this.#missedFor <= HOLD_SECONDS;
    this.#setCover(canHold && still ? 'held' : 'solid');
    return this.cover;
  }

  #setCover(cover: Cover): void {
    this.cover = cover;
    this.#wasSolid = cover === 'solid';
  }

  /** Missed for long enough, or moved out of the picture. */
  gone(width: number, height: number): boolean {
    if (this.missed === 0) return false;
    const doubtful = this.#hits < DOUBTFUL_HITS && !this.certain;
    const limit = doubtful ? DOUBTFUL_FRAMES : this.#options.holdFrames + this.#options.solidFrames;
    return this.missed > limit || intersection(this.motion.box, { x: 0, y: 0, width, height }) === 0;
  }

  /** The last generated face's crop, carried along with the predicted box. */
  get heldCrop(): Affine | undefined {
    const aligned = this.resting.crop;
    if (!aligned || !this.points.face || !this.fit) return undefined;
    const crop = fittedCrop(aligned, this.fit);
    const box = this.motion.box;
    const from = { x: centreX(this.lastBox), y: centreY(this.lastBox) };
    return moved(crop, from, { x: centreX(box), y: centreY(box) }, 1);
  }

  /** Where the last points are expected on a box, picture pixels; undefined unless they were trusted. */
  expectedPoints(box: Region): Float32Array | undefined {
    if (!this.lastPoints || !this.trusted || this.missed > 0) return undefined;
    return carryPoints(this.lastPoints, this.lastBox, box);
  }
}

/** Points moved and scaled as their box did. */
export function carryPoints(points: Float32Array, from: Region, to: Region): Float32Array {
  const scale = Math.sqrt((to.width * to.height) / (from.width * from.height));
  return points.map((v, i) =>
    i % 2 === 0 ? centreX(to) + scale * (v - centreX(from)) : centreY(to) + scale * (v - centreY(from)),
  );
}
