import { type RtpPayload, sequenceDistance } from './rtp.ts';

export interface ReorderOptions {
  /** How long a missing packet is waited for, milliseconds; a retransmission takes about one round trip. */
  readonly maxWaitMs: number;
  /** Packets held while one is missing; more means that it will not come. */
  readonly maxHeld: number;
}

/** What comes out in order: a packet, or the news that at least one before the next is lost. */
export type Reordered<P> = { readonly packet: P } | 'gap';

/** A jump this large is a new sender, not a loss. */
const MAX_JUMP = 1000;

/** Restores the order of packets, drops repeated and late ones, and tells of those that never came. */
export class ReorderBuffer<P extends Pick<RtpPayload, 'sequenceNumber'>> {
  readonly #options: ReorderOptions;
  readonly #held = new Map<number, P>();
  #next: number | undefined;
  #waitingSinceMs = 0;

  constructor(options: ReorderOptions = { maxWaitMs: 80, maxHeld: 256 }) {
    this.#options = options;
  }

  get held(): number {
    return this.#held.size;
  }

  push(packet: P, nowMs: number): Reordered<P>[] {
    const sequence = packet.sequenceNumber;
    this.#next ??= sequence;
    const distance = sequenceDistance(sequence, this.#next);
    if (Math.abs(distance) > MAX_JUMP) {
      this.#held.clear();
      this.#next = (sequence + 1) & 0xffff;
      return ['gap', { packet }];
    }
    if (distance < 0) return [];
    if (this.#held.size === 0) this.#waitingSinceMs = nowMs;
    this.#held.set(sequence, packet);
    return this.poll(nowMs);
  }

  /** Call now and then when no packet arrives: gives up on a missing packet whose time has run out. */
  poll(nowMs: number): Reordered<P>[] {
    const out: Reordered<P>[] = [];
    this.#drain(out);
    // What is missing now is another packet than before: it gets its full time.
    if (out.length > 0) this.#waitingSinceMs = nowMs;
    while (
      this.#held.size > 0 &&
      (nowMs - this.#waitingSinceMs >= this.#options.maxWaitMs || this.#held.size > this.#options.maxHeld)
    ) {
      this.#skip();
      out.push('gap');
      this.#drain(out);
      this.#waitingSinceMs = nowMs;
    }
    return out;
  }

  #drain(out: Reordered<P>[]): void {
    for (let packet = this.#held.get(this.#next!); packet; packet = this.#held.get(this.#next!)) {
      this.#held.delete(this.#next!);
      this.#next = (this.#next! + 1) & 0xffff;
      out.push({ packet });
    }
  }

  #skip(): void {
    let nearest = Number.POSITIVE_INFINITY;
    for (const sequence of this.#held.keys()) nearest = Math.min(nearest, sequenceDistance(sequence, this.#next!));
    this.#next = (this.#next! + nearest) & 0xffff;
  }
}
