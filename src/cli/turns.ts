/** One job's place in a row of jobs that run beside each other. */
export interface Turn {
  /** Resolves when everybody before has had his turn. */
  readonly mine: Promise<void>;
  /** Lets the next one go; called again it does nothing. */
  done(): void;
}

/**
 * Hands out turns for the one step that must be taken in order: persons are numbered as they are met, and who somebody
 * becomes must not depend on which picture was decoded first.
 */
export class Turns {
  #last: Promise<void> = Promise.resolve();

  next(): Turn {
    const mine = this.#last;
    let done = () => {};
    const own = new Promise<void>((resolve) => {
      done = resolve;
    });
    // Who gives up early does not let the next one overtake those before.
    this.#last = Promise.all([mine, own]).then(() => {});
    return { mine, done };
  }
}

export interface Weighted<T> {
  readonly jobs: readonly T[];
  /** 1 and more: runs alone. */
  readonly weightOf: (job: T) => number;
  readonly run: (job: T, index: number) => Promise<void>;
  /** No job is begun after it. */
  readonly stop?: AbortSignal;
}

/**
 * Starts jobs in order, as many at once as their weights allow. Rejects with the first failure, when all that had begun
 * have ended; none is begun after it.
 */
export async function runWeighted<T>({ jobs, weightOf, run, stop }: Weighted<T>): Promise<void> {
  const running = new Map<Promise<void>, number>();
  const failures: unknown[] = [];
  const load = () => [...running.values()].reduce((sum, weight) => sum + weight, 0);
  try {
    for (const [index, job] of jobs.entries()) {
      if (stop?.aborted) break;
      const weight = Math.min(1, weightOf(job));
      // Sums of quarters and the like are exact enough; of other weights they need not be.
      while (running.size > 0 && load() + weight > 1 + 1e-9) await Promise.race(running.keys());
      if (failures.length > 0 || stop?.aborted) break;
      const ended: Promise<void> = run(job, index)
        .catch((error: unknown) => void failures.push(error))
        .then(() => void running.delete(ended));
      running.set(ended, weight);
    }
  } finally {
    await Promise.all(running.keys());
  }
  if (failures.length > 0) throw failures[0];
}
