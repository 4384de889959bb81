import type { TrackedFace } from '../core/face-track.ts';
import { area, intersection } from './geometry.ts';

/** A cover gives way to a face that is seen over so much of it. */
const TAKEN_OVER = 0.5;

/** Solid covers that stay where they are for a while though nobody is followed there. */
export class LingeringCovers {
  #covers: { readonly face: TrackedFace; left: number }[] = [];

  /** @param frames on which it is still to be shown */
  add(face: TrackedFace, frames: number): void {
    this.#covers.push({ face: { ...face, cover: 'solid' }, left: frames });
  }

  clear(): void {
    this.#covers = [];
  }

  /** @param faces seen on this frame @returns the covers of this frame, and the FaceTracks whose cover ends with it */
  step(faces: readonly TrackedFace[]): { readonly covers: TrackedFace[]; readonly ended: number[] } {
    const taken = (face: TrackedFace) =>
      faces.some((f) => intersection(f.region, face.region) >= TAKEN_OVER * area(face.region));
    const ended = this.#covers.filter(({ face, left }) => left === 0 || taken(face)).map(({ face }) => face.trackId);
    this.#covers = this.#covers.filter(({ face }) => !ended.includes(face.trackId));
    for (const cover of this.#covers) cover.left--;
    return { covers: this.#covers.map(({ face }) => face), ended };
  }
}
