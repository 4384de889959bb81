/** An error inside the worker, as it is told to the other side. */
export interface Fault {
  readonly message: string;
  readonly exitCode?: number;
  readonly remedy?: string;
}

/** The worker thread ended while a request was under way: the caller steps down the ladder. */
export class WorkerDied extends Error {
  constructor(name: string, detail: string) {
    super(`the ${name} worker died: ${detail}`);
    this.name = 'WorkerDied';
  }
}

/** No answer in time. The thread may still be at it, so that what it was given to write into is not the caller's yet. */
export class WorkerHung extends Error {
  /** Resolves when the thread has answered after all, or has ended. */
  readonly released: Promise<void>;
  constructor(name: string, silentMs: number, released: Promise<void>) {
    super(`the ${name} worker has not answered for ${silentMs} ms`);
    this.name = 'WorkerHung';
    this.released = released;
  }
}

/** A request failed inside the worker, which lives on. */
export class WorkerFailure extends Error {
  readonly exitCode: number | undefined;
  readonly remedy: string | undefined;
  constructor(name: string, failure: Fault) {
    // One with a remedy is a sentence for a person already.
    super(failure.remedy ? failure.message : `${name}: ${failure.message}`);
    this.name = 'WorkerFailure';
    this.exitCode = failure.exitCode;
    this.remedy = failure.remedy;
  }
}
