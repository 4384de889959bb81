import type { Source } from '../ingest/source.ts';

/** What a live source can tell of itself besides its frames; counts since it was opened. */
export type CountedSource = Source & {
  readonly counts: SourceCounts;
  /** Losses that needed a key picture. */
  readonly losses?: number;
  /** Coded pictures left out because the decoder was behind. */
  readonly skipped?: number;
  readonly reconnects?: number;
  /** Now on the clock of the frames' time stamps, microseconds. */
  readonly elapsedUs: number;
};

interface SourceCounts {
  readonly received: number;
  readonly dropped: number;
  readonly thinned: number;
  readonly blank: number;
}

export interface StreamCounts extends SourceCounts {
  readonly losses: number;
  readonly skipped: number;
  readonly reconnects: number;
}

const KEYS = ['received', 'dropped', 'thinned', 'blank', 'losses', 'skipped', 'reconnects'] as const;
const NONE: StreamCounts = { received: 0, dropped: 0, thinned: 0, blank: 0, losses: 0, skipped: 0, reconnects: 0 };

/** Counts of one stream over all of its sources, one after the other. */
export class StreamCounters {
  #before = NONE;
  #source: CountedSource | undefined;

  follow(source: CountedSource): void {
    this.#before = this.total;
    this.#source = source;
  }

  /** Of the present source. */
  get present(): StreamCounts {
    const { counts, losses = 0, skipped = 0, reconnects = 0 } = this.#source ?? { counts: NONE };
    const { received, dropped, thinned, blank } = counts;
    return { received, dropped, thinned, blank, losses, skipped, reconnects };
  }

  get total(): StreamCounts {
    const { present } = this;
    return Object.fromEntries(KEYS.map((key) => [key, this.#before[key] + present[key]])) as unknown as StreamCounts;
  }
}

const EVERY_MS = 1000;
const SAMPLES = 6;

/** How often a second something was counted, over the last five seconds, whoever asks and when. */
export class RateMeter {
  readonly #samples: { readonly atMs: number; readonly count: number }[] = [];
  readonly #count: () => number;
  readonly #timer: NodeJS.Timeout;

  constructor(count: () => number) {
    this.#count = count;
    this.#sample();
    this.#timer = setInterval(() => this.#sample(), EVERY_MS).unref();
  }

  get perSecond(): number {
    const [first, last] = [this.#samples[0]!, this.#samples.at(-1)!];
    return last === first ? 0 : ((last.count - first.count) * 1000) / (last.atMs - first.atMs);
  }

  close(): void {
    clearInterval(this.#timer);
  }

  #sample(): void {
    this.#samples.push({ atMs: performance.now(), count: this.#count() });
    if (this.#samples.length > SAMPLES) this.#samples.shift();
  }
}
