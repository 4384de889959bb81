const EVERY_MS = 10_000;
/** Share of dropped pictures that is told of. */
const WORTH_TELLING = 0.1;

interface Counted {
  readonly counts: { readonly received: number; readonly dropped: number; readonly thinned: number };
}

/** Says when pictures are being dropped because the stages are too slow for them: the rate falls, the latency does not grow. */
export class OverloadWatch {
  readonly #timer: NodeJS.Timeout;
  readonly #source: Counted;
  readonly #tell: (sentence: string) => void;
  #received = 0;
  #dropped = 0;
  #thinned = 0;

  constructor(source: Counted, tell: (sentence: string) => void) {
    this.#source = source;
    this.#tell = tell;
    this.#timer = setInterval(() => this.#look(), EVERY_MS).unref();
  }

  close(): void {
    clearInterval(this.#timer);
  }

  #look(): void {
    const { received, dropped, thinned } = this.#source.counts;
    const [came, lost] = [received - this.#received, dropped - this.#dropped];
    const lowered = thinned > this.#thinned;
    this.#received = received;
    this.#dropped = dropped;
    this.#thinned = thinned;
    if (came === 0 || lost / came < WORTH_TELLING) return;
    const rate = (count: number) => ((count * 1000) / EVERY_MS).toFixed(1);
    const processed = `overload: ${rate(came)} pictures a second arrive, ${rate(came - lost)} are processed`;
    this.#tell(lowered ? `${processed}; the rate has been lowered` : `${processed}, the rest is dropped`);
  }
}
