import type { RtpHeader } from 'werift';

/** As many as werift keeps, and sends again by itself. */
const KEPT_BY_WERIFT = 128;
/** Two seconds at 2.5 Mbit/s; a power of two, for the numbers wrap. */
const KEPT = 512;

export interface SentPacket {
  readonly header: RtpHeader;
  readonly payload: Buffer;
}

/**
 * The last packets that a viewer was sent, for those that werift has forgotten when they are asked for: its 128 are one large key picture, or at
 * the higher bit rates that may be set a tenth of a second, which is less than the way there and back.
 */
export class SentPackets {
  readonly #kept = new Array<SentPacket | undefined>(KEPT);
  #last = 0;

  add(packet: SentPacket): void {
    this.#last = packet.header.sequenceNumber;
    this.#kept[this.#last % KEPT] = packet;
  }

  /** @param lost as werift reads them from a request: past the wrap of the numbers it counts on, and finds nothing there */
  toSendAgain(lost: readonly number[]): SentPacket[] {
    return lost.flatMap((number) => {
      const sequence = number & 0xffff;
      const age = (this.#last - sequence) & 0xffff;
      if (number === sequence && age < KEPT_BY_WERIFT) return [];
      const packet = this.#kept[sequence % KEPT];
      return packet?.header.sequenceNumber === sequence ? [packet] : [];
    });
  }
}
