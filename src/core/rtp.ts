/** The parts of an RTP packet that a payload format needs. */
export interface RtpPayload {
  readonly sequenceNumber: number;
  /** 32-bit media clock; 90 kHz for video. */
  readonly timestamp: number;
  /** Last packet of a picture. */
  readonly marker: boolean;
  readonly payload: Uint8Array;
}

/** One coded picture put together from packets. */
export interface CodedPicture {
  /** 32-bit RTP timestamp. */
  readonly timestamp: number;
  readonly data: Uint8Array;
  /** Decoding can begin here. */
  readonly key: boolean;
  /** Picture size as the bit stream states it, pixels; key pictures only. */
  readonly size?: { readonly width: number; readonly height: number };
}

/** Puts pictures together from packets in sequence order. Never returns a picture that lacks a part. */
export interface Depacketizer {
  /** Whole pictures, and `broken` for each one given up: later pictures may refer to it, so wait for a key picture. */
  push(packet: RtpPayload): (CodedPicture | 'broken')[];
  /** A packet was lost before the next one: the picture under way is given up. */
  lost(): void;
}

/** Largest RTP payload sent, bytes: with headers and SRTP's tag below every common path's MTU. */
export const MAX_RTP_PAYLOAD = 1200;
/** Of one coded picture: a sender who never ends one must not take all memory. */
export const MAX_PICTURE_BYTES = 4 << 20;
/** What a part of a picture takes besides its bytes. */
export const PART_BYTES = 256;

/** a − b on the 16-bit circle, in [−32768, 32767]. */
export function sequenceDistance(a: number, b: number): number {
  return ((a - b) << 16) >> 16;
}

export function concatBytes(parts: readonly Uint8Array[]): Uint8Array {
  if (parts.length === 1) return parts[0]!;
  const out = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    out.set(part, at);
    at += part.length;
  }
  return out;
}

/** Continues a 32-bit RTP timestamp without its wrap-around: media-clock ticks since the first one seen. */
export class TimestampUnwrapper {
  #last: number | undefined;
  #ticks = 0;

  unwrap(timestamp: number): number {
    if (this.#last !== undefined) this.#ticks += (timestamp - this.#last) | 0;
    this.#last = timestamp;
    return this.#ticks;
  }
}
