/** A jump this large is a new sender, not a loss. */
const MAX_JUMP = 1000;
/** More than this in a row no sender still has: a key picture, which is asked for then, costs less. */
const MAX_HOLE = 128;
/** Packets that have only overtaken one another come by themselves. */
const OVERTAKEN_MS = 5;
/** Before that an answer is hardly there. */
const AGAIN_MS = 25;
/** As long as `ReorderBuffer` waits. */
const GIVE_UP_MS = 80;

interface Missing {
  readonly sinceMs: number;
  askedMs: number | undefined;
}

/**
 * Asks a publisher for packets that did not come (NACK, RFC 4585). werift's own, once the last packet before the wrap of the sequence numbers is
 * lost, misses nothing more until they come round again, minutes later; and it asks ten times within 55 ms, whatever the way there takes.
 */
export class MissingPackets {
  readonly #ask: (sequenceNumbers: readonly number[]) => void;
  /** By sequence number, unwrapped. */
  readonly #missing = new Map<number, Missing>();
  #last: number | undefined;
  #timer: NodeJS.Timeout | undefined;

  /** @param ask is given sequence numbers of 16 bits, oldest first */
  constructor(ask: (sequenceNumbers: readonly number[]) => void) {
    this.#ask = ask;
  }

  packet(sequenceNumber: number, nowMs = performance.now()): void {
    const last = this.#last ?? sequenceNumber;
    const distance = ((sequenceNumber - last + 0x18000) & 0xffff) - 0x8000;
    this.#last = Math.max(last, last + distance);
    if (Math.abs(distance) > MAX_JUMP) {
      this.#missing.clear();
      this.#last = sequenceNumber;
    } else if (distance <= 0) this.#missing.delete(last + distance);
    else if (distance <= MAX_HOLE) {
      for (let lost = last + 1; lost < last + distance; lost++) {
        this.#missing.set(lost, { sinceMs: nowMs, askedMs: undefined });
      }
    }
    if (this.#missing.size > 0) this.#timer ??= setInterval(() => this.poll(), OVERTAKEN_MS).unref();
  }

  /** Asks for what is due. */
  poll(nowMs = performance.now()): void {
    const due: number[] = [];
    for (const [sequence, missing] of this.#missing) {
      const { sinceMs, askedMs } = missing;
      // After a stall, too, each is asked for once.
      if (askedMs !== undefined && nowMs - sinceMs >= GIVE_UP_MS) this.#missing.delete(sequence);
      else if (nowMs - (askedMs ?? sinceMs) >= (askedMs === undefined ? OVERTAKEN_MS : AGAIN_MS)) {
        missing.askedMs = nowMs;
        due.push(sequence & 0xffff);
      }
    }
    if (due.length > 0) this.#ask(due);
    if (this.#missing.size === 0) this.close();
  }

  close(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
  }
}
