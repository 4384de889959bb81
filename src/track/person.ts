import type { FaceEmbedder, Picture } from '../core/vision.ts';
import { meanPoint } from './canonical.ts';

/** How fast a person's embedding follows new views. */
const FOLLOW = 0.2;
export const MAX_PERSONS = 512;

/** ArcFace's five points from the 68: eyes (picture's left first), nose tip, mouth corners; 10 numbers. */
export function fivePoints(points: Float32Array): Float32Array {
  const left = meanPoint(points, 36, 42);
  const right = meanPoint(points, 42, 48);
  return Float32Array.of(
    ...[left.x, left.y, right.x, right.y, points[60]!, points[61]!],
    ...[points[96]!, points[97]!, points[108]!, points[109]!],
  );
}

/**
 * Numbers persons of one session. Embeddings stay in this object's memory, are written nowhere, and are gone with it.
 */
export class PersonGallery {
  readonly #embedder: FaceEmbedder;
  readonly #sameCosine: number;
  readonly #persons = new Map<number, Float32Array>();
  /** As they were first seen: judging an understudy must not depend on which picture was looked at meanwhile. */
  readonly #first = new Map<number, Float32Array>();

  constructor(embedder: FaceEmbedder, sameCosine: number) {
    this.#embedder = embedder;
    this.#sameCosine = sameCosine;
  }

  /**
   * @param own the FaceTrack's number so far: kept unless somebody known looks like this
   * @param taken persons seen elsewhere on this frame: nobody is twice in a picture
   */
  async identify(picture: Picture, points: Float32Array, own: number, taken: ReadonlySet<number>): Promise<number> {
    let embedding: Float32Array;
    try {
      embedding = await this.#embedder.embed(picture, fivePoints(points));
    } catch {
      // Without an answer this is somebody new: the understudy differs, nothing is shown.
      return own;
    }
    let best = own;
    let bestCosine = this.#sameCosine;
    for (const [person, known] of this.#persons) {
      if (taken.has(person)) continue;
      const cosine = dot(known, embedding);
      if (cosine > bestCosine) {
        best = person;
        bestCosine = cosine;
      }
    }
    this.#remember(best, embedding);
    return best;
  }

  knows(person: number): boolean {
    return this.#persons.has(person);
  }

  /** Cosine of an embedding to a person's own at first sight; undefined for somebody who was never embedded. */
  likeness(person: number, embedding: Float32Array): number | undefined {
    const known = this.#first.get(person);
    return known && dot(known, embedding);
  }

  #remember(person: number, embedding: Float32Array): void {
    const known = this.#persons.get(person);
    const next = Float32Array.from(embedding, (v, i) => (known ? known[i]! + FOLLOW * (v - known[i]!) : v));
    const length = Math.sqrt(dot(next, next)) || 1;
    for (let i = 0; i < next.length; i++) next[i] = next[i]! / length;
    // Put at the end again: the first of the map is whoever was met longest ago.
    this.#persons.delete(person);
    this.#persons.set(person, next);
    if (!known) this.#first.set(person, next);
    if (this.#persons.size <= MAX_PERSONS) return;
    const oldest = this.#persons.keys().next().value as number;
    this.#persons.delete(oldest);
    this.#first.delete(oldest);
  }
}

function dot(a: Float32Array, b: Float32Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i]! * b[i]!;
  return sum;
}
