import { FACE_SLOT_BYTES } from '../core/face-slot.ts';
import type { TrackedFace } from '../core/face-track.ts';
import { stepDown } from '../guard/ladder.ts';
import { CreditGate } from '../rx/credit-gate.ts';

/** Faces between generator and compositor at once, over all streams. */
export const FACE_SLOTS = 48;

/**
 * The memory of the faces, handed out in slots. One that a hung worker may still write into is lost until that has ended, which may be
 * never: a spare one takes its place, or a frame of many faces would wait for ever, and others be covered for ever.
 */
export class FaceSlots {
  readonly memory: SharedArrayBuffer;
  readonly #gate = new CreditGate(FACE_SLOTS);
  readonly #spare: number[];

  /** @param spare as many as hung workers can keep */
  constructor(spare: number) {
    // Spares that are never used cost addresses, no memory.
    this.memory = new SharedArrayBuffer((FACE_SLOTS + spare) * FACE_SLOT_BYTES);
    this.#spare = Array.from({ length: spare }, (_, i) => FACE_SLOTS + i);
  }

  /** Waits while all are out. */
  take(): Promise<number> {
    return this.#gate.take();
  }

  tryTake(): number | undefined {
    return this.#gate.tryTake();
  }

  give(slot: number): void {
    this.#gate.give(slot);
  }

  /** @param released resolves when nobody can write into it any more */
  giveAfter(slot: number, released: Promise<void>): void {
    const spare = this.#spare.pop();
    if (spare !== undefined) this.#gate.give(spare);
    void released.then(() => {
      if (spare === undefined) this.#gate.give(slot);
      else this.#spare.push(slot);
    });
  }
}

/** A frame that asked for more faces than there are slots would wait for itself: the smallest get the solid cover. */
export function withinSlots(faces: readonly TrackedFace[]): readonly TrackedFace[] {
  if (faces.length <= FACE_SLOTS) return faces;
  const bySize = [...faces].sort((a, b) => b.region.height - a.region.height);
  const small = new Set(bySize.slice(FACE_SLOTS));
  return faces.map((face) => (small.has(face) ? stepDown(face, 'solid') : face));
}
