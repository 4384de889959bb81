export interface BatcherOptions<T, R> {
  readonly maxBatchSize: number;
  /** Longest time that an item waits for company. */
  readonly maxQueueDelayMs: number;
  /** Answers in the order of the items. */
  readonly run: (items: T[]) => Promise<R[]>;
}

/**
 * Collects items of one frame and of several streams. While a batch runs the next one fills; an idle runner waits no
 * longer than `maxQueueDelayMs`.
 */
export class Batcher<T, R> {
  readonly #options: BatcherOptions<T, R>;
  readonly #queue: { item: T; alone: boolean; resolve: (r: R) => void; reject: (e: unknown) => void }[] = [];
  #running = false;
  #timer: NodeJS.Timeout | undefined;
  #closed = false;

  constructor(options: BatcherOptions<T, R>) {
    this.#options = options;
  }

  /** @param alone in a batch of its own, with nobody whom it could take along */
  submit(item: T, alone = false): Promise<R> {
    if (this.#closed) return Promise.reject(new Error('the batcher is closed'));
    return new Promise((resolve, reject) => {
      this.#queue.push({ item, alone, resolve, reject });
      if (this.#running) return;
      if (this.#queue.length >= this.#options.maxBatchSize) this.#flush();
      else this.#timer ??= setTimeout(() => this.#flush(), this.#options.maxQueueDelayMs);
    });
  }

  close(): void {
    this.#closed = true;
    clearTimeout(this.#timer);
    for (const { reject } of this.#queue.splice(0)) reject(new Error('the batcher is closed'));
  }

  #flush(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const batch = this.#queue.splice(0, this.#together());
    if (batch.length === 0) return;
    this.#running = true;
    this.#options
      .run(batch.map((b) => b.item))
      .then(
        (results) => {
          for (const [i, b] of batch.entries()) b.resolve(results[i]!);
        },
        (error) => {
          for (const b of batch) b.reject(error);
        },
      )
      .finally(() => {
        this.#running = false;
        // What waited while this batch ran has waited long enough.
        if (this.#queue.length > 0) this.#flush();
      });
  }

  /** How many of those in front go together. */
  #together(): number {
    const alone = this.#queue.findIndex((waiting) => waiting.alone);
    return Math.min(alone < 0 ? this.#queue.length : Math.max(1, alone), this.#options.maxBatchSize);
  }
}
