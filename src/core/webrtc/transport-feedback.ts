/** Arrival of one packet. */
export interface Arrival {
  /** Transport-wide sequence number, unwrapped. */
  readonly sequence: number;
  readonly arrivedUs: number;
}

export interface FeedbackSsrcs {
  readonly sender: number;
  readonly media: number;
}

const TICK_US = 250;
/** A reference time is a multiple of 64 ms. */
const TICKS_PER_REFERENCE = 256;
/** Two-bit symbols in a status vector chunk. */
const SYMBOLS = 7;
const SMALL = 1;
const LARGE = 2;

/**
 * A transport-wide feedback message (draft-holmer-rmcat-transport-wide-cc-extensions-01), serialized with its RTCP header.
 * @param first sequence number that the message begins with @param arrivals ascending, one for each number at most, `first` or later,
 * less than 8 s apart; numbers in between are reported as lost
 */
export function transportFeedback(ssrcs: FeedbackSsrcs, first: number, arrivals: readonly Arrival[], count: number) {
  const reference = Math.floor(arrivals[0]!.arrivedUs / TICK_US / TICKS_PER_REFERENCE);
  const symbols = new Array<number>(arrivals.at(-1)!.sequence - first + 1).fill(0);
  const deltas: number[] = [];
  // Differences of rounded times: rounding errors do not add up, and the first one counts from the reference time.
  let ticks = reference * TICKS_PER_REFERENCE;
  for (const { sequence, arrivedUs } of arrivals) {
    const at = Math.floor(arrivedUs / TICK_US);
    const delta = at - ticks;
    ticks = at;
    const small = delta >= 0 && delta <= 255;
    symbols[sequence - first] = small ? SMALL : LARGE;
    if (small) deltas.push(delta);
    else deltas.push((delta >> 8) & 0xff, delta & 0xff);
  }
  const chunks = Math.ceil(symbols.length / SYMBOLS);
  const unpadded = 20 + 2 * chunks + deltas.length;
  const padding = (4 - (unpadded % 4)) % 4;
  const packet = Buffer.alloc(unpadded + padding);
  packet[0] = 0x80 | (padding > 0 ? 0x20 : 0) | 15;
  packet[1] = 205;
  packet.writeUInt16BE(packet.length / 4 - 1, 2);
  packet.writeUInt32BE(ssrcs.sender >>> 0, 4);
  packet.writeUInt32BE(ssrcs.media >>> 0, 8);
  packet.writeUInt16BE(first & 0xffff, 12);
  packet.writeUInt16BE(symbols.length, 14);
  packet.writeUIntBE(reference & 0xffffff, 16, 3);
  packet[19] = count & 0xff;
  for (let chunk = 0; chunk < chunks; chunk++) {
    let bits = 0xc000;
    for (let i = 0; i < SYMBOLS; i++) bits |= (symbols[chunk * SYMBOLS + i] ?? 0) << (12 - 2 * i);
    packet.writeUInt16BE(bits, 20 + 2 * chunk);
  }
  packet.set(deltas, 20 + 2 * chunks);
  if (padding > 0) packet[packet.length - 1] = padding;
  return packet;
}

const EVERY_MS = 50;
/** A sequence number this far from the last is a new sender's; so many numbers fit into a message, too. */
const MAX_JUMP = 1000;
/** Without packets for this long the timer rests. */
const REST_AFTER_MS = 2000;

/**
 * Tells a publisher when each of its packets arrived, from which it learns how much it may send. werift's own does not send
 * what few packets have come, mixes rounded and unrounded times and does not report losses: senders stay at their lowest rate.
 */
export class TransportFeedback {
  readonly #send: (packet: Buffer) => void;
  readonly #ssrcs: () => FeedbackSsrcs;
  readonly #arrived = new Map<number, Arrival>();
  #timer: NodeJS.Timeout | undefined;
  #last: number | undefined;
  /** The first number that no message has told of. */
  #next: number | undefined;
  #count = 0;
  #lastMs = 0;

  constructor(ssrcs: () => FeedbackSsrcs, send: (packet: Buffer) => void) {
    this.#ssrcs = ssrcs;
    this.#send = send;
  }

  /** @param sequenceNumber 16 bits, as the header extension has it */
  packet(sequenceNumber: number, nowMs = performance.now()): void {
    const last = this.#last ?? sequenceNumber;
    const distance = ((sequenceNumber - last + 0x18000) & 0xffff) - 0x8000;
    const sequence = last + distance;
    if (Math.abs(distance) > MAX_JUMP || sequence < 0) {
      this.#restart(sequenceNumber, nowMs);
      return;
    }
    this.#last = Math.max(last, sequence);
    this.#lastMs = nowMs;
    this.#arrived.set(sequence, { sequence, arrivedUs: nowMs * 1000 });
    this.#timer ??= setInterval(() => this.flush(), EVERY_MS).unref();
  }

  /** Sends what has arrived since the last message. */
  flush(nowMs = performance.now()): void {
    const arrivals = [...this.#arrived.values()].sort((a, b) => a.sequence - b.sequence);
    this.#arrived.clear();
    if (arrivals.length > 0) {
      const first = Math.min(this.#next ?? arrivals[0]!.sequence, arrivals[0]!.sequence);
      this.#next = Math.max(this.#next ?? 0, arrivals.at(-1)!.sequence + 1);
      this.#send(transportFeedback(this.#ssrcs(), first, arrivals, this.#count++));
    } else if (nowMs - this.#lastMs > REST_AFTER_MS) this.close();
  }

  close(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  #restart(sequenceNumber: number, nowMs: number): void {
    this.#arrived.clear();
    this.#last = undefined;
    this.#next = undefined;
    this.packet(sequenceNumber, nowMs);
  }
}
