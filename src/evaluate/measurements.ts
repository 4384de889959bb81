import { ExitCode, UnderstudyError } from '../core/errors.ts';
import type { LeftOut } from './pairs.ts';

/** Gathers what is measured on many files at once, in the order in which they were added, and what could not be. */
export class Measurements<T> {
  readonly #onDone: (done: number) => void;
  readonly #outcomes: Promise<T[] | LeftOut>[] = [];
  #done = 0;

  constructor(onDone: (done: number) => void = () => {}) {
    this.#onDone = onDone;
  }

  /** @param measure begins at once; what it throws is the reason for which this file is left out */
  add(name: string, measure: () => Promise<T[]>): void {
    const outcome = Promise.resolve()
      .then(measure)
      .catch((error: Error): LeftOut => ({ name, reason: error.message }))
      .finally(() => this.#onDone(++this.#done));
    this.#outcomes.push(outcome);
  }

  async finish(): Promise<{ results: T[]; leftOut: LeftOut[] }> {
    const results: T[] = [];
    const leftOut: LeftOut[] = [];
    for (const outcome of await Promise.all(this.#outcomes)) {
      if (Array.isArray(outcome)) results.push(...outcome);
      else leftOut.push(outcome);
    }
    return { results, leftOut };
  }
}

/** Where in an evaluation it was left out: `key 2: NAME`. */
export function labelled(where: string, leftOut: readonly LeftOut[]): LeftOut[] {
  return leftOut.map((l) => ({ ...l, name: `${where}: ${l.name}` }));
}

/** An error of which only the sentence reaches a user, also from another thread. */
export function unmeasurable(reason: string): UnderstudyError {
  return new UnderstudyError(ExitCode.noFace, reason, 'leave it out');
}
