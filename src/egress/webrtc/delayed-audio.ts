/** Longest that sound is held back, milliseconds; a picture later than this is out of sync anyway. */
const MAX_DELAY_MS = 2000;
/** How much one measurement counts: the delay follows within about a second and does not jitter. */
const SMOOTHING = 0.05;

/** Holds sound back by the latency that anonymizing adds to the picture, so that the two leave together. */
export class DelayedAudio<P> {
  readonly #send: (packet: P) => void;
  readonly #queue: { packet: P; arrivedMs: number }[] = [];
  #timer: NodeJS.Timeout | undefined;
  #delayMs: number | undefined;

  constructor(send: (packet: P) => void) {
    this.#send = send;
  }

  get delayMs(): number {
    return this.#delayMs ?? 0;
  }

  /** The age of a picture that leaves now. */
  measured(latencyMs: number): void {
    const bounded = Math.min(MAX_DELAY_MS, Math.max(0, latencyMs));
    this.#delayMs = this.#delayMs === undefined ? bounded : this.#delayMs + SMOOTHING * (bounded - this.#delayMs);
  }

  /** @param arrivedMs when it was as old as a picture that comes now, by `performance.now()` */
  push(packet: P, arrivedMs = performance.now()): void {
    // Until the first picture has left there is nothing to be in sync with, and nothing is heard of who is not seen.
    if (this.#delayMs === undefined) return;
    this.#queue.push({ packet, arrivedMs });
    this.#schedule();
  }

  close(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#queue.length = 0;
    this.#delayMs = undefined;
  }

  #schedule(): void {
    const first = this.#queue[0];
    if (this.#timer || !first) return;
    const waitMs = Math.max(0, first.arrivedMs + this.delayMs - performance.now());
    this.#timer = setTimeout(() => this.#flush(), waitMs);
  }

  #flush(): void {
    this.#timer = undefined;
    const now = performance.now() + 1;
    while (this.#queue[0] && this.#queue[0].arrivedMs + this.delayMs <= now) this.#send(this.#queue.shift()!.packet);
    this.#schedule();
  }
}
