import { DetailUnderLoad } from './detail-under-load.ts';

const EVERY_MS = 10_000;
/** Share of dropped pictures that is told of. */
const WORTH_TELLING = 0.1;

interface Counted {
  readonly counts: { readonly received: number; readonly dropped: number; readonly thinned: number };
}

/**
 * Says when pictures are being dropped because the stages are too slow for them: the rate falls, the latency does not grow; and
 * whether faces are to be drawn in detail meanwhile.
 */
export class OverloadWatch {
  readonly #detail = new DetailUnderLoad();
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

  /** False while the stages are too slow to draw large faces in detail. */
  get detail(): boolean {
    return this.#detail.wanted;
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
    // A source that has paused says nothing about the stages.
    if (came === 0) return;
    const overloaded = lost / came >= WORTH_TELLING;
    const changed = this.#detail.look(overloaded);
    if (changed && this.detail) this.#tell('the overload is over: large faces are drawn in detail again');
    if (!overloaded) return;
    const rate = (count: number) => ((count * 1000) / EVERY_MS).toFixed(1);
    const processed = `overload: ${rate(came)} pictures a second arrive, ${rate(came - lost)} are processed`;
    const plain = this.detail ? '' : '; faces are drawn without detail';
    this.#tell(`${processed}${lowered ? '; the rate has been lowered' : ', the rest is dropped'}${plain}`);
  }
}
