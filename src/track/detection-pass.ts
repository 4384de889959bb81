import type { Region } from '../core/face-track.ts';
import type { DetectorWindow, FaceFinder, Picture } from '../core/vision.ts';
import { intersectionOverUnion, scaled } from './geometry.ts';
import { asFound, type Found, mergeFound } from './merge.ts';
import type { TrackOptions } from './options.ts';
import { contextWindows, stillWindows } from './still-windows.ts';
import { faceWindows, turnedWindows, WindowSchedule, wholePicture, windowAround } from './tiles.ts';

/** A predicted face: where its window goes. */
export interface Expected {
  readonly box: Region;
  readonly angle: number;
  /** Roll of its last points in radians, when known: tells which way a lost face has probably turned. */
  readonly roll?: number;
}

/** Turned windows per frame for faces that were lost, and the roll from which their side is clear. */
const MAX_RETRIES = 2;
const CLEAR_ROLL = 0.3;

/** Overlap over the union of a find and a look at it with its surroundings. */
const SAME_PLACE = 0.3;

const turnsOf = (angle: number): DetectorWindow['quarterTurns'] =>
  ([0, 3, 2, 1] as const)[((Math.round(angle / (Math.PI / 2)) % 4) + 4) % 4]!;

/** All looks of the detector at one frame, merged into one detection per face. */
export class DetectionPass {
  readonly #finder: FaceFinder;
  readonly #options: TrackOptions;
  readonly #schedule: WindowSchedule;
  #parity = 0;

  constructor(finder: FaceFinder, options: TrackOptions) {
    this.#finder = finder;
    this.#options = options;
    this.#schedule = new WindowSchedule(options.mode === 'live' ? 'live' : 'file');
  }

  /** The whole picture, a window around every expected face, and the tiles whose turn it is. */
  async look(picture: Picture, expected: readonly Expected[]): Promise<Found[]> {
    const { format } = picture;
    if (this.#options.mode === 'still') return this.#confirmed(picture, await this.#run(picture, stillWindows(format)));
    const upright = expected.filter((e) => turnsOf(e.angle) === 0).map((e) => e.box);
    const turned = expected.filter((e) => turnsOf(e.angle) !== 0);
    const budget = expected.length > 0 ? this.#options.tileBudget : this.#options.idleTileBudget;
    return this.#run(picture, [
      wholePicture(format),
      ...faceWindows(upright, format),
      ...turned.map((e) => windowAround(scaled(e.box, 2.2), format, turnsOf(e.angle))),
      ...this.#schedule.take(format, Math.max(budget, this.#options.tileBudget)),
    ]);
  }

  /** Looks again for faces that the first look lost: tilted to the side they were leaning to, else to either in turn. */
  async lookTurned(picture: Picture, lost: readonly Expected[]): Promise<Found[]> {
    const first = this.#parity++;
    const windows = lost.slice(0, MAX_RETRIES).map((e, i) => {
      if (turnsOf(e.angle) !== 0) return windowAround(scaled(e.box, 2.2), picture.format);
      const [left, right] = turnedWindows(e.box, picture.format);
      const leaning = e.roll !== undefined && Math.abs(e.roll) > CLEAR_ROLL;
      return (leaning ? e.roll! < 0 : (first + i) % 2 === 0) ? left! : right!;
    });
    return this.#run(picture, windows);
  }

  /** Hundreds of windows find a face in many a curtain: what no look with its surroundings sees again is left out. */
  async #confirmed(picture: Picture, found: readonly Found[]): Promise<Found[]> {
    const kept: Found[] = [];
    for (const f of found) {
      const again = await this.#run(picture, contextWindows(f, turnsOf(f.angle)));
      const same = again.filter((a) => intersectionOverUnion(a, f) > SAME_PLACE);
      if (same.length > 0) kept.push({ ...f, ...same[0], score: Math.max(f.score, same[0]!.score) });
    }
    return mergeFound(kept, this.#options.trustedScore);
  }

  async #run(picture: Picture, windows: readonly DetectorWindow[]): Promise<Found[]> {
    const found: Found[] = [];
    for (const window of windows) {
      const detections = await this.#finder.detect(picture, window, this.#options.followScore);
      for (const d of detections) found.push(asFound(d, window, picture.format));
    }
    return mergeFound(found, this.#options.trustedScore);
  }
}
