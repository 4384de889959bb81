/** How alike a person and the understudy may be: cosine of the recognizer, whose threshold at FAR 1e-3 is about 0.3. */
export const MAX_LIKENESS = 0.2;
/** Understudies tried for one person before the least alike of them is taken. */
const MAX_DRAWS = 6;

interface Person {
  /** The understudy in use: which of those the session key gives this person. */
  draw: number;
  settled: boolean;
  /** While the first face is being judged, everybody else waits: no frame shows an understudy that was refused. */
  judging: Promise<void> | undefined;
}

/**
 * Makes the face of a given draw and says how much it looks like the person; undefined when that cannot be told: the
 * analysis is down or does not answer, or the recognizer failed on the person.
 */
export type Judge = (draw: number) => Promise<number | undefined>;

/**
 * The re-identification gate: an understudy whose first generated face is too like the person is never shown; another
 * is drawn. Only the upper end is cut off, so that an understudy is not telling by being unusually unlike either.
 */
export class ReidentificationGate {
  readonly #persons = new Map<string, Person>();
  /** Understudies refused so far. */
  refused = 0;

  /**
   * @returns the draw to use; `judge` is called only for a person's first face
   * @throws when it could not be judged: nothing is shown then, and the next face is judged
   */
  async drawFor(key: string, judge: Judge): Promise<{ draw: number; judged: boolean }> {
    let known = this.#persons.get(key);
    for (; known?.judging; known = this.#persons.get(key)) await known.judging;
    if (known?.settled) return { draw: known.draw, judged: false };
    const person: Person = { draw: known?.draw ?? 0, settled: false, judging: undefined };
    this.#persons.set(key, person);
    const work = this.#judge(person, judge);
    person.judging = work.catch(() => {});
    try {
      await work;
    } finally {
      person.judging = undefined;
    }
    return { draw: person.draw, judged: true };
  }

  endStream(prefix: string): void {
    for (const key of this.#persons.keys()) if (key.startsWith(prefix)) this.#persons.delete(key);
  }

  async #judge(person: Person, judge: Judge): Promise<void> {
    let best = { draw: person.draw, likeness: Number.POSITIVE_INFINITY };
    for (let draw = 0; draw < MAX_DRAWS; draw++) {
      const likeness = await judge(draw);
      // No number is above no limit: it would pass for an understudy that nobody looks like.
      if (likeness === undefined || Number.isNaN(likeness)) throw new Error('the understudy could not be judged');
      if (likeness < best.likeness) best = { draw, likeness };
      if (likeness <= MAX_LIKENESS) break;
      this.refused++;
    }
    person.draw = best.draw;
    person.settled = true;
  }
}
