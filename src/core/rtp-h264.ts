import { h264Size, joinAnnexB, NalType, nalType, splitAnnexB } from './h264.ts';
import {
  type CodedPicture,
  concatBytes,
  type Depacketizer,
  MAX_PICTURE_BYTES,
  MAX_RTP_PAYLOAD,
  PART_BYTES,
  type RtpPayload,
} from './rtp.ts';

/** FU header flags (RFC 6184, section 5.8). */
const FU_START = 0x80;
const FU_END = 0x40;

/** Splits an Annex B access unit into RFC 6184 payloads (packetization-mode 1): STAP-A, single NAL unit, FU-A. */
export function packetizeH264(accessUnit: Uint8Array, maxPayload = MAX_RTP_PAYLOAD): Uint8Array[] {
  const payloads: Uint8Array[] = [];
  let group: Uint8Array[] = [];
  let groupSize = 1;
  const flush = () => {
    if (group.length === 1) payloads.push(group[0]!);
    else if (group.length > 1) payloads.push(aggregate(group));
    group = [];
    groupSize = 1;
  };
  for (const nal of splitAnnexB(accessUnit)) {
    if (nalType(nal) === NalType.aud) continue;
    if (nal.length > maxPayload) {
      flush();
      payloads.push(...fragment(nal, maxPayload));
      continue;
    }
    if (groupSize + 2 + nal.length > maxPayload) flush();
    group.push(nal);
    groupSize += 2 + nal.length;
  }
  flush();
  return payloads;
}

function aggregate(nals: readonly Uint8Array[]): Uint8Array {
  const parts: Uint8Array[] = [];
  let header = 0;
  for (const nal of nals) {
    header = Math.max(header, nal[0]! & 0x60);
    parts.push(Uint8Array.of(nal.length >> 8, nal.length & 0xff), nal);
  }
  return concatBytes([Uint8Array.of(header | NalType.stapA), ...parts]);
}

function fragment(nal: Uint8Array, maxPayload: number): Uint8Array[] {
  const body = nal.subarray(1);
  const count = Math.ceil(body.length / (maxPayload - 2));
  const size = Math.ceil(body.length / count);
  return Array.from({ length: count }, (_, i) => {
    const part = body.subarray(i * size, (i + 1) * size);
    const payload = new Uint8Array(2 + part.length);
    payload[0] = (nal[0]! & 0xe0) | NalType.fuA;
    payload[1] = nalType(nal) | (i === 0 ? FU_START : 0) | (i === count - 1 ? FU_END : 0);
    payload.set(part, 2);
    return payload;
  });
}

/** True when nothing of the picture can come before this payload. */
function opensPicture(payload: Uint8Array): boolean {
  const type = nalType(payload);
  const first = type === NalType.stapA ? nalType(payload.subarray(3)) : type;
  return first === NalType.sps || first === NalType.aud;
}

export class H264Depacketizer implements Depacketizer {
  #nals: Uint8Array[] = [];
  #fragments: Uint8Array[] = [];
  #bytes = 0;
  #timestamp: number | undefined;
  /** A part of the picture under way is missing or wrong. */
  #broken = false;
  /** Packets were lost just before: the next picture may lack its beginning. */
  #afterLoss = false;

  push(packet: RtpPayload): (CodedPicture | 'broken')[] {
    const out: (CodedPicture | 'broken')[] = [];
    if (this.#timestamp !== packet.timestamp) {
      // Without a marker the previous picture was never known to be whole.
      if (this.#timestamp !== undefined) out.push('broken');
      this.#timestamp = packet.timestamp;
      this.#forget();
      this.#broken = this.#afterLoss && !opensPicture(packet.payload);
    } else if (this.#afterLoss) this.#broken = true;
    this.#afterLoss = false;
    if (!this.#broken && !this.#take(packet.payload)) this.#broken = true;
    this.#bytes += packet.payload.length;
    if (!this.#broken && this.#bytes + PART_BYTES * (this.#nals.length + this.#fragments.length) > MAX_PICTURE_BYTES) {
      this.#broken = true;
      out.push('broken');
    }
    if (this.#broken) this.#forget();
    if (packet.marker) {
      out.push(this.#broken || this.#fragments.length > 0 ? 'broken' : this.#finish(packet.timestamp));
      this.#timestamp = undefined;
    }
    return out;
  }

  lost(): void {
    this.#afterLoss = true;
  }

  #forget(): void {
    this.#nals = [];
    this.#fragments = [];
    this.#bytes = 0;
  }

  #take(payload: Uint8Array): boolean {
    if (payload.length < 1 || payload[0]! & 0x80) return false;
    const type = nalType(payload);
    if (type === NalType.fuA) return this.#takeFragment(payload);
    if (this.#fragments.length > 0) return false;
    if (type === NalType.stapA) return this.#takeAggregate(payload);
    if (type === 0 || type > 23) return false;
    this.#nals.push(payload);
    return true;
  }

  #takeAggregate(payload: Uint8Array): boolean {
    let at = 1;
    while (at + 2 <= payload.length) {
      const size = (payload[at]! << 8) | payload[at + 1]!;
      at += 2;
      if (size === 0 || at + size > payload.length) return false;
      this.#nals.push(payload.subarray(at, at + size));
      at += size;
    }
    return at === payload.length && at > 1;
  }

  #takeFragment(payload: Uint8Array): boolean {
    const header = payload[1];
    if (header === undefined || payload.length < 3) return false;
    const starts = (header & FU_START) !== 0;
    if (starts !== (this.#fragments.length === 0)) return false;
    if (starts) this.#fragments.push(Uint8Array.of((payload[0]! & 0xe0) | (header & 0x1f)));
    this.#fragments.push(payload.subarray(2));
    if (header & FU_END) {
      this.#nals.push(concatBytes(this.#fragments));
      this.#fragments = [];
    }
    return true;
  }

  #finish(timestamp: number): CodedPicture | 'broken' {
    if (this.#nals.length === 0) return 'broken';
    const key = this.#nals.some((nal) => nalType(nal) === NalType.idr);
    const sps = this.#nals.find((nal) => nalType(nal) === NalType.sps);
    const size = sps && h264Size(sps);
    return { timestamp, data: joinAnnexB(this.#nals), key, ...(size && { size }) };
  }
}
