import type { TrackedFace } from '../core/face-track.ts';
import { mayHide } from './cover-region.ts';
import { area, intersection, intersectionOverUnion, scaled } from './geometry.ts';

/** A cover ends when a face is seen over so much of it. */
const TAKEN_OVER = 0.5;
/** Overlap with where it was seen from which a face is the one that was lost, and not somebody's before or behind whom it is. */
const SAME_FACE = 0.4;

interface Lingering {
  readonly cover: TrackedFace;
  /** Where the face was seen: what is found there again takes the cover over, however large that is drawn. */
  readonly seen: TrackedFace['region'];
  left: number;
}

/** Solid covers that stay where they are for a while though nobody is followed there. */
export class LingeringCovers {
  readonly #returning: boolean;
  #covers: Lingering[] = [];

  /**
   * @param returning false: a cover ends when a face is seen over it. True: it is left out only while the very face is
   * seen there, and shown again when that is lost within its time
   */
  constructor(returning = false) {
    this.#returning = returning;
  }

  /**
   * @param frames on which it is still to be shown
   * @param growth of the area: for a face that may have moved since
   */
  add(face: TrackedFace, frames: number, growth = 1): void {
    const { trackId, personId, score, roll, region } = face;
    const cover = { trackId, personId, score, roll, cover: 'solid' as const, region: scaled(region, growth) };
    this.#covers.push({ cover, seen: region, left: frames });
  }

  /** @param faces seen on this frame @returns the covers of this frame, and the FaceTracks whose cover ends with it */
  step(faces: readonly TrackedFace[]): { readonly covers: TrackedFace[]; readonly ended: number[] } {
    // Somebody who is still followed has covers of his own, and his FaceTrack has not ended.
    const followed = new Set(faces.map((f) => f.trackId));
    this.#covers = this.#covers.filter(({ cover }) => !followed.has(cover.trackId));
    const takenOver = ({ seen }: Lingering) =>
      faces.some((f) => mayHide(f, seen) && intersection(f.region, seen) >= TAKEN_OVER * area(seen));
    const over = (c: Lingering) => c.left === 0 || (!this.#returning && takenOver(c));
    const ended = this.#covers.filter(over).map(({ cover }) => cover.trackId);
    this.#covers = this.#covers.filter((c) => !over(c));
    for (const lingering of this.#covers) lingering.left--;
    const seenAgain = ({ seen }: Lingering) => faces.some((f) => intersectionOverUnion(f.region, seen) >= SAME_FACE);
    return { covers: this.#covers.filter((c) => !seenAgain(c)).map(({ cover }) => cover), ended };
  }
}
