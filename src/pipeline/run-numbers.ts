/** Tells one stream from the next that has its number: who publishes under a name again need not be the one before. */
export class RunNumbers {
  readonly #runs = new Map<number, number>();
  #last = 0;

  /** The same for a stream until its end. */
  of(streamId: number): number {
    const run = this.#runs.get(streamId) ?? ++this.#last;
    this.#runs.set(streamId, run);
    return run;
  }

  /** @returns what it was */
  end(streamId: number): number {
    const run = this.of(streamId);
    this.#runs.delete(streamId);
    return run;
  }
}
