/** Longest that sound is held back, milliseconds; a picture later than this is out of sync anyway. */
const MAX_DELAY_MS = 2000;
/** Pictures whose median latency is what sound is held back by: a few late ones change nothing. */
const MEASURED = 90;
/** While there are fewer than this the delay jumps to the median; the first pictures of a stream are late. */
const SETTLING = 45;
/**
 * Milliseconds by which the delay then changes from picture to picture, and in a second where pictures are fewer than thirty. A browser takes a delay that wanders for a bad network, buffers the sound
 * for as long as it ever wandered, and holds the pictures back to be with it.
 */
const MAX_STEP_MS = 1;
const MAX_STEP_MS_PER_S = 30;

/**
 * Sound leaves this much before its picture: a viewer buffers it for longer than pictures, and would hold the pictures back to be with it.
 * The sender reports say what belongs together.
 */
const AHEAD_MS = 60;

/** Holds sound back by the latency that anonymizing adds to the picture, so that the two are there together. */
export class DelayedAudio<P> {
  readonly #send: (packet: P) => void;
  readonly #queue: { packet: P; arrivedMs: number }[] = [];
  #timer: NodeJS.Timeout | undefined;
  #delayMs: number | undefined;
  #latencies: number[] = [];
  #measuredMs = performance.now();

  constructor(send: (packet: P) => void) {
    this.#send = send;
  }

  get delayMs(): number {
    return this.#delayMs ?? 0;
  }

  /** The age of a picture that leaves now. */
  measured(latencyMs: number): void {
    this.#latencies.push(Math.min(MAX_DELAY_MS, Math.max(0, latencyMs)));
    if (this.#latencies.length > MEASURED) this.#latencies.shift();
    const median = [...this.#latencies].sort((a, b) => a - b)[this.#latencies.length >> 1]!;
    const wanted = Math.max(0, median - AHEAD_MS);
    const settled = this.#delayMs !== undefined && this.#latencies.length >= SETTLING;
    const step = wanted - (this.#delayMs ?? 0);
    const most = Math.max(MAX_STEP_MS, (MAX_STEP_MS_PER_S * (performance.now() - this.#measuredMs)) / 1000);
    this.#measuredMs = performance.now();
    this.#delayMs = settled ? this.#delayMs! + Math.max(-most, Math.min(most, step)) : wanted;
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
    this.#latencies = [];
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
