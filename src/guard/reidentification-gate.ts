import { keyedUniform } from '../core/keyed-random.ts';

/** How alike a person and the understudy may be: cosine of the recognizer, whose threshold at FAR 1e-3 is about 0.3. */
export const MAX_LIKENESS = 0.2;
/** Above this the recognizer may take an understudy for the person: it is shown to nobody, though all were refused. */
export const TAKEN_FOR = 0.3;
/** Faces for which such a person stays covered before others are tried: trying costs more than a frame has. */
export const PAUSE = 100;
export interface Choice {
  /** Understudies unlike the person of which the best is taken. */
  readonly among: number;
  /** Understudies tried for one person, before the least alike of them is taken if all were refused, and it is unlike enough. */
  readonly tries: number;
}

export const CHOICE: Choice = { among: 3, tries: 12 };
/** Live, the face is covered and everything else waits while its understudy is chosen. */
export const LIVE_CHOICE: Choice = { among: 2, tries: 8 };
/** An understudy is taken for certain up to this likeness, above it with a probability that falls by e every 1 / TILT. */
const CERTAIN_LIKENESS = -0.05;
const TILT = 14;

/** More than the analysis tells apart, in a folder of pictures that has no end. */
const MAX_PERSONS = 4096;

interface Person {
  /** The understudy in use: which of those the session key gives this person. */
  draw: number;
  settled: boolean;
  /** Faces that are still covered because nobody was unlike enough. */
  paused: number;
  /** While the first face is being judged, everybody else waits: no frame shows an understudy that was refused. */
  judging: Promise<void> | undefined;
}

export interface Judgement {
  /** Cosine of the recognizer, generated face against person. */
  readonly likeness: number;
  /** Of track/misfit: a face whose points are not where they were asked for shows another expression. Absent where it is more alike than was asked about. */
  readonly misfit?: number;
}

/**
 * Makes the face of a given draw and judges it, its misfit only if it is no more alike than `limit`; undefined when that cannot be told: the analysis is down or does not
 * answer, or the recognizer failed on the person.
 */
export type Judge = (draw: number, limit: number) => Promise<Judgement | undefined>;

/**
 * The re-identification gate: an understudy whose first generated face is too like the person is never shown; another
 * is drawn. What surrounds the face and how it is held make every draw a little like the person, and somebody with many
 * keys or frames could average that out of them. So a draw is refused the more readily the more alike it is: exponential
 * tilting, under which a normal distribution keeps its width and only its mean moves, here to where strangers are. A
 * hard limit there would move it as well, and leave a distribution that ends where no stranger's does.
 *
 * Of several that pass the one is taken that wears the expression best.
 */
export class ReidentificationGate {
  readonly #sessionKey: Uint8Array;
  readonly #choice: Choice;
  readonly #persons = new Map<string, Person>();
  /** Understudies refused so far. */
  refused = 0;

  /** @param sessionKey decides which draws are refused: the same for the same key */
  constructor(sessionKey: Uint8Array, choice: Choice = CHOICE) {
    this.#sessionKey = sessionKey;
    this.#choice = choice;
  }

  /**
   * @returns the draw to use; `judge` is called only for a person's first face
   * @throws when it could not be judged: nothing is shown then, and the next face is judged; and when all that were tried would be taken for the
   * person: nothing is shown for the next `PAUSE` faces
   */
  async drawFor(key: string, judge: Judge): Promise<{ draw: number; judged: boolean }> {
    let known = this.#persons.get(key);
    for (; known?.judging; known = this.#persons.get(key)) await known.judging;
    if (known?.settled) {
      // Put at the end again: the first of the map is whoever was shown longest ago.
      this.#persons.delete(key);
      this.#persons.set(key, known);
      return { draw: known.draw, judged: false };
    }
    if (known && known.paused > 0) {
      known.paused--;
      throw new Error('every understudy that was tried is too like the person');
    }
    const person: Person = { draw: known?.draw ?? 0, settled: false, paused: 0, judging: undefined };
    this.#persons.set(key, person);
    if (this.#persons.size > MAX_PERSONS) this.#forgetOne();
    const work = this.#judge(key, person, judge);
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

  /** The one shown longest ago; nobody who is being judged. */
  #forgetOne(): void {
    for (const [key, { settled }] of this.#persons) if (settled) return void this.#persons.delete(key);
  }

  async #judge(key: string, person: Person, judge: Judge): Promise<void> {
    let leastAlike = { draw: person.draw, likeness: Number.POSITIVE_INFINITY };
    let best: { draw: number; misfit: number } | undefined;
    let passed = 0;
    for (let draw = 0; draw < this.#choice.tries && passed < this.#choice.among; draw++) {
      const limit = this.#limit(key, draw);
      const { likeness = Number.NaN, misfit = Number.NaN } = (await judge(draw, limit)) ?? {};
      // No number is above no limit: it would pass for an understudy that nobody looks like.
      if (Number.isNaN(likeness) || (likeness <= limit && Number.isNaN(misfit))) {
        // One that has passed will do: a draw that never can be judged would leave the person without for good.
        if (best) break;
        throw new Error('the understudy could not be judged');
      }
      if (likeness <= limit) {
        passed++;
        if (!best || misfit < best.misfit) best = { draw, misfit };
      } else {
        if (likeness < leastAlike.likeness) leastAlike = { draw, likeness };
        this.refused++;
      }
    }
    if (!best && leastAlike.likeness > TAKEN_FOR) {
      person.paused = PAUSE;
      throw new Error('every understudy that was tried is too like the person');
    }
    person.draw = (best ?? leastAlike).draw;
    person.settled = true;
  }

  /** A likeness x is below it with the probability min(1, exp(−TILT (x − CERTAIN_LIKENESS))), and never above MAX_LIKENESS. */
  #limit(key: string, draw: number): number {
    const u = keyedUniform(this.#sessionKey, `limit of ${key} draw ${draw}`);
    return Math.min(MAX_LIKENESS, CERTAIN_LIKENESS - Math.log(u) / TILT);
  }
}
