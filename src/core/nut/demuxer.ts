import type { AudioFormat } from '../audio/audio-track.ts';
import { AUDIO, FILE_ID, Flag, MAIN, STREAM, SYNCPOINT } from './constants.ts';
import { NEED_MORE, VarintReader } from './varint.ts';

interface FrameCode {
  flags: number;
  sizeMul: number;
  sizeLsb: number;
  ptsDelta: number;
  reserved: number;
  headerIdx: number;
}

export interface NutStream {
  /** 0 for sound. */
  readonly width: number;
  readonly height: number;
  /** Present when the stream is sound. */
  readonly audio?: AudioFormat;
}

export interface NutFrame {
  readonly timestampUs: number;
  /** Bytes that follow. */
  readonly byteLength: number;
  /** First bytes of the packet, which the stream's header tells once for all; empty for pictures. */
  readonly prefix: Uint8Array;
}

/** A stretch of the input that the caller has to act on; `undefined`: more bytes are needed. */
export type NutEvent = { stream: NutStream } | { frame: NutFrame } | undefined;

/**
 * Parses the NUT that ffmpeg writes for one stream, a header at a time. The bytes of packets never pass through here:
 * after a `frame` event the caller takes `byteLength` bytes from `rest` and from the next chunks itself.
 */
export class NutDemuxer {
  #buffer: Uint8Array = new Uint8Array();
  #at = 0;
  #identified = false;
  #codes: FrameCode[] = [];
  #timeBases: { num: number; den: number }[] = [];
  #streamBase = 0;
  #elision: Uint8Array[] = [];
  #ptsShift = 0;
  #lastPts = 0;

  push(chunk: Uint8Array): void {
    const kept = this.#buffer.subarray(this.#at);
    if (kept.length === 0) this.#buffer = chunk;
    else {
      const joined = new Uint8Array(kept.length + chunk.length);
      joined.set(kept);
      joined.set(chunk, kept.length);
      this.#buffer = joined;
    }
    this.#at = 0;
  }

  /** Takes up to `max` unparsed bytes out. */
  take(max: number): Uint8Array {
    const part = this.#buffer.subarray(this.#at, this.#at + max);
    this.#at += part.length;
    return part;
  }

  next(): NutEvent {
    for (;;) {
      const reader = new VarintReader(this.#buffer, this.#at, this.#buffer.length);
      try {
        const event = this.#parse(reader);
        this.#at = reader.at;
        if (event) return event;
      } catch (error) {
        if (error === NEED_MORE) return undefined;
        throw error;
      }
    }
  }

  #parse(r: VarintReader): NutEvent {
    if (!this.#identified) {
      for (const byte of FILE_ID) if (r.byte() !== byte) throw new Error('the decoder did not answer in NUT');
      this.#identified = true;
      return undefined;
    }
    const first = r.byte();
    if (first !== 0x4e) return this.#frame(r, first);
    const startcode = [first];
    while (startcode.length < 8) startcode.push(r.byte());
    const length = r.v();
    if (length > 4096) r.u32();
    const end = r.at + length;
    if (end > r.end) throw NEED_MORE;
    const is = (code: Uint8Array) => code.every((b, i) => b === startcode[i]);
    let event: NutEvent;
    if (is(MAIN)) this.#main(new VarintReader(r.bytes, r.at, end));
    else if (is(STREAM)) event = this.#stream(new VarintReader(r.bytes, r.at, end));
    else if (is(SYNCPOINT)) this.#syncpoint(new VarintReader(r.bytes, r.at, end));
    r.at = end;
    return event;
  }

  #main(r: VarintReader): void {
    const version = r.v();
    if (version > 3) r.v();
    r.v();
    r.v();
    const bases = r.v();
    this.#timeBases = Array.from({ length: bases }, () => ({ num: r.v(), den: r.v() }));
    this.#codes = [];
    let ptsDelta = 0;
    let mul = 1;
    let headerIdx = 0;
    while (this.#codes.length < 256) {
      const flags = r.v();
      const fields = r.v();
      if (fields > 0) ptsDelta = r.s();
      if (fields > 1) mul = r.v();
      if (fields > 2) r.v();
      const size = fields > 3 ? r.v() : 0;
      const reserved = fields > 4 ? r.v() : 0;
      const count = fields > 5 ? r.v() : mul - size;
      if (fields > 6) r.s();
      if (fields > 7) headerIdx = r.v();
      for (let i = 8; i < fields; i++) r.v();
      for (let j = 0; j < count && this.#codes.length < 256; j++) {
        if (this.#codes.length === 0x4e) {
          this.#codes.push({ flags: Flag.invalid, sizeMul: 1, sizeLsb: 0, ptsDelta: 0, reserved: 0, headerIdx: 0 });
          j--;
        } else this.#codes.push({ flags, sizeMul: mul, sizeLsb: size + j, ptsDelta, reserved, headerIdx });
      }
    }
    this.#elision = [new Uint8Array()];
    const headers = r.v();
    for (let i = 0; i < headers; i++) this.#elision.push(r.vb());
  }

  #stream(r: VarintReader): NutEvent {
    r.v();
    const kind = r.v();
    const tag = Uint8Array.from(r.vb());
    this.#streamBase = r.v();
    this.#ptsShift = r.v();
    r.v();
    r.v();
    r.v();
    const extradata = Uint8Array.from(r.vb());
    if (kind !== AUDIO) return { stream: { width: r.v(), height: r.v() } };
    const sampleRate = Math.round(r.v() / r.v());
    return { stream: { width: 0, height: 0, audio: { tag, extradata, sampleRate, channels: r.v() } } };
  }

  /** The time stamps after a syncpoint are told relative to the time stamp it carries. */
  #syncpoint(r: VarintReader): void {
    const coded = r.v();
    const from = this.#timeBases[coded % this.#timeBases.length]!;
    const to = this.#timeBases[this.#streamBase]!;
    const pts = Math.floor(coded / this.#timeBases.length);
    this.#lastPts = Math.floor((pts * from.num * to.den) / (from.den * to.num));
  }

  #frame(r: VarintReader, first: number): NutEvent {
    const code = this.#codes[first];
    if (!code || code.flags & Flag.invalid) throw new Error('the decoder sent a damaged NUT stream');
    let flags = code.flags;
    if (flags & Flag.coded) flags ^= r.v();
    if (flags & Flag.streamId) r.v();
    const pts = flags & Flag.codedPts ? this.#pts(r.v()) : this.#lastPts + code.ptsDelta;
    const msb = flags & Flag.sizeMsb ? r.v() : 0;
    if (flags & Flag.matchTime) r.s();
    const headerIdx = flags & Flag.headerIdx ? r.v() : code.headerIdx;
    const reserved = flags & Flag.reserved ? r.v() : code.reserved;
    for (let i = 0; i < reserved; i++) r.v();
    if (flags & Flag.checksum) r.u32();
    const size = msb * code.sizeMul + code.sizeLsb;
    const prefix = this.#elision[headerIdx] ?? new Uint8Array();
    if (prefix.length > 0 && size > 4096) throw new Error('unexpected NUT header elision');
    this.#lastPts = pts;
    const base = this.#timeBases[this.#streamBase]!;
    const timestampUs = Math.round((pts * 1e6 * base.num) / base.den);
    return { frame: { timestampUs, byteLength: size - prefix.length, prefix } };
  }

  #pts(coded: number): number {
    const span = 2 ** this.#ptsShift;
    if (coded >= span) return coded - span;
    const delta = this.#lastPts - (span / 2 - 1);
    return ((((coded - delta) % span) + span) % span) + delta;
  }
}
