import {
  type CodedPicture,
  concatBytes,
  type Depacketizer,
  MAX_PICTURE_BYTES,
  MAX_RTP_PAYLOAD,
  PART_BYTES,
  type RtpPayload,
} from './rtp.ts';

/** Flags of the payload descriptor (RFC 7741, section 4.2). */
const EXTENDED = 0x80;
const START = 0x10;
const PARTITION = 0x07;
const HAS_PICTURE_ID = 0x80;
const HAS_TL0PICIDX = 0x40;
const HAS_TID = 0x20;
const HAS_KEYIDX = 0x10;
const LONG_PICTURE_ID = 0x80;

export interface Vp8Descriptor {
  /** First packet of a partition. */
  readonly start: boolean;
  readonly partition: number;
  readonly pictureId?: number;
  /** Bytes before the coded data. */
  readonly length: number;
}

/** Undefined when the packet is too short for what its flags promise. */
export function parseVp8Descriptor(payload: Uint8Array): Vp8Descriptor | undefined {
  const first = payload[0];
  if (first === undefined) return undefined;
  let at = 1;
  let pictureId: number | undefined;
  if (first & EXTENDED) {
    const flags = payload[at++];
    if (flags === undefined) return undefined;
    if (flags & HAS_PICTURE_ID) {
      const high = payload[at++] ?? 0;
      pictureId = high & LONG_PICTURE_ID ? ((high & 0x7f) << 8) | (payload[at++] ?? 0) : high;
    }
    if (flags & HAS_TL0PICIDX) at++;
    if (flags & (HAS_TID | HAS_KEYIDX)) at++;
  }
  if (at >= payload.length) return undefined;
  return {
    start: (first & START) !== 0,
    partition: first & PARTITION,
    ...(pictureId !== undefined && { pictureId }),
    length: at,
  };
}

export function isVp8Key(picture: Uint8Array): boolean {
  return picture.length > 0 && (picture[0]! & 1) === 0;
}

/** Size in pixels from a key picture's header; undefined when it is none or is malformed. */
export function vp8Size(picture: Uint8Array): { width: number; height: number } | undefined {
  if (!isVp8Key(picture) || picture.length < 10) return undefined;
  if (picture[3] !== 0x9d || picture[4] !== 0x01 || picture[5] !== 0x2a) return undefined;
  const width = (picture[6]! | (picture[7]! << 8)) & 0x3fff;
  const height = (picture[8]! | (picture[9]! << 8)) & 0x3fff;
  return width && height ? { width, height } : undefined;
}

/** Splits a VP8 picture into payloads with a 15-bit PictureID. */
export function packetizeVp8(picture: Uint8Array, pictureId: number, maxPayload = MAX_RTP_PAYLOAD): Uint8Array[] {
  const room = maxPayload - 4;
  const count = Math.max(1, Math.ceil(picture.length / room));
  // Equal parts: one short last packet costs a header and gains nothing.
  const size = Math.ceil(picture.length / count);
  const payloads: Uint8Array[] = [];
  for (let i = 0; i < count; i++) {
    const part = picture.subarray(i * size, (i + 1) * size);
    const payload = new Uint8Array(4 + part.length);
    payload[0] = EXTENDED | (i === 0 ? START : 0);
    payload[1] = HAS_PICTURE_ID;
    payload[2] = LONG_PICTURE_ID | ((pictureId >> 8) & 0x7f);
    payload[3] = pictureId & 0xff;
    payload.set(part, 4);
    payloads.push(payload);
  }
  return payloads;
}

export class Vp8Depacketizer implements Depacketizer {
  #parts: Uint8Array[] = [];
  #bytes = 0;
  #timestamp = 0;

  push(packet: RtpPayload): (CodedPicture | 'broken')[] {
    const out: (CodedPicture | 'broken')[] = [];
    const descriptor = parseVp8Descriptor(packet.payload);
    const begins = descriptor?.start === true && descriptor.partition === 0;
    if (this.#parts.length > 0 && (begins || packet.timestamp !== this.#timestamp)) {
      // Its last packet never came.
      this.#parts = [];
      out.push('broken');
    }
    if (!descriptor || (!begins && this.#parts.length === 0)) {
      this.#parts = [];
      out.push('broken');
      return out;
    }
    this.#timestamp = packet.timestamp;
    if (begins) this.#bytes = 0;
    this.#parts.push(packet.payload.subarray(descriptor.length));
    this.#bytes += packet.payload.length + PART_BYTES;
    if (this.#bytes > MAX_PICTURE_BYTES) {
      this.#parts = [];
      out.push('broken');
    } else if (packet.marker) out.push(this.#finish());
    return out;
  }

  lost(): void {
    this.#parts = [];
  }

  #finish(): CodedPicture | 'broken' {
    const data = concatBytes(this.#parts);
    this.#parts = [];
    const size = vp8Size(data);
    // A key picture without a size is garbage that happens to have its lowest bit clear.
    if (isVp8Key(data) && !size) return 'broken';
    return { timestamp: this.#timestamp, data, key: size !== undefined, ...(size && { size }) };
  }
}
