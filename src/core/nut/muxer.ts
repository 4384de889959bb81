import type { AudioFormat, AudioPacket } from '../audio/audio-track.ts';
import { AUDIO, FILE_ID, Flag, INFO, MAIN, STREAM, SYNCPOINT, VIDEO } from './constants.ts';
import { crc32, VarintWriter } from './varint.ts';

/** Largest distance between syncpoints that ffmpeg accepts; with `PIPE` it asks for none. */
const MAX_DISTANCE = 65_536;
/** Version and minor version that brought the main header's flags. */
const VERSION = [4, 1] as const;
/**
 * No syncpoints but the first: an ffmpeg that reads NUT keeps each one for as long as it runs, 0.22 kB a picture
 * (`libavformat/nutdec.c`, `decode_syncpoint`). A pipe loses nothing that they would be needed for.
 */
const PIPE = 2;
/** Bits of a time stamp that is told relative to the one before; ffmpeg takes fewer than 16. */
const PTS_SHIFT = 15;
const PTS_SPAN = 1 << PTS_SHIFT;
/** Time stamps of a frame have 31 bits in an ffmpeg before 5; those of a syncpoint have 64 everywhere. */
const NARROW_TICKS = 2 ** 31 - PTS_SPAN;

export interface NutPictures {
  readonly width: number;
  readonly height: number;
  /** Four characters: raw I420 by default, or `H264` for Annex B access units. */
  readonly tag?: string;
  /** Pictures a second. Of one or two an ffmpeg cannot guess how long the last one lasts, and players of MP4 leave out one that takes no time. */
  readonly frameRate?: number;
}

export interface NutOptions {
  /** Coded sound, beside the pictures or alone. */
  readonly audio?: AudioFormat | undefined;
  /** An ffmpeg before 5 reads it. */
  readonly narrow?: boolean;
  /** It may go on for weeks. For a narrow reader time stamps are then in 1/90000 s, so that hardly any syncpoint is needed. */
  readonly endless?: boolean;
}

/** Writes one NUT stream: pictures are stream 0, sound beside them is stream 1. Time stamps are in 1/1000000 s. */
export class NutWriter {
  /** File id, main header and stream headers; goes before everything else. */
  readonly header: Uint8Array;
  readonly #ticksPerSecond: number;
  readonly #narrow: boolean;
  readonly #audioId: number;
  /** Of each stream's last frame. */
  readonly #lastTicks: number[];
  /**
   * The first syncpoint, which goes with the first frame's header: an ffmpeg of 2018 to which a read gives the one and
   * not the other looks for the next syncpoint, and there is none.
   */
  #opening = syncpoint(0);

  /** @param pictures undefined: sound alone */
  constructor(pictures: NutPictures | undefined, { audio, narrow = false, endless = false }: NutOptions) {
    this.#narrow = narrow;
    this.#ticksPerSecond = narrow && endless ? 90_000 : 1_000_000;
    this.#audioId = pictures ? 1 : 0;
    const streams = [
      ...(pictures ? [pictureHeader(pictures)] : []),
      ...(audio ? [audioHeader(this.#audioId, audio)] : []),
    ];
    const info = pictures?.frameRate ? [frameRateOf(pictures.frameRate)] : [];
    this.#lastTicks = streams.map(() => 0);
    const main = mainHeader(streams.length, this.#ticksPerSecond);
    this.header = concat(FILE_ID, main, ...streams, ...info);
  }

  /**
   * What goes before the `byteLength` bytes of one picture, to be written as one piece. @param timestampUs ≥ 0
   * @param sound packets that go before it
   */
  picture(timestampUs: number, byteLength: number, sound: readonly AudioPacket[] = []): Uint8Array {
    const packets = sound.map((one) => this.sound(one));
    return concat(...packets, this.#frame(0, timestampUs, byteLength));
  }

  /** One packet of sound. */
  sound({ timestampUs, data }: AudioPacket): Uint8Array {
    return concat(this.#frame(this.#audioId, timestampUs, data.length), data);
  }

  #frame(id: number, timestampUs: number, byteLength: number): Uint8Array {
    const ticks =
      this.#ticksPerSecond === 1_000_000 ? timestampUs : Math.round((timestampUs * this.#ticksPerSecond) / 1e6);
    const whole = !this.#narrow || ticks < NARROW_TICKS;
    const far = Math.abs(ticks - this.#lastTicks[id]!) >= PTS_SPAN / 2 - 1;
    const jump = !whole && far ? syncpoint(ticks) : new Uint8Array();
    if (jump.length > 0) this.#lastTicks.fill(ticks);
    this.#lastTicks[id] = ticks;
    const opening = this.#opening;
    this.#opening = new Uint8Array();
    return concat(opening, jump, frameHeader(id, whole ? ticks + PTS_SPAN : ticks % PTS_SPAN, byteLength));
  }
}

function packet(startcode: Uint8Array, payload: Uint8Array): Uint8Array {
  const forward = new VarintWriter().v(payload.length + 4).done();
  const head =
    payload.length + 4 > 4096 ? new VarintWriter().u32(crc32(concat(startcode, forward))).done() : new Uint8Array();
  return concat(startcode, forward, head, payload, new VarintWriter().u32(crc32(payload)).done());
}

function concat(...parts: Uint8Array[]): Uint8Array {
  const out = new Uint8Array(parts.reduce((n, p) => n + p.length, 0));
  let at = 0;
  for (const part of parts) {
    out.set(part, at);
    at += part.length;
  }
  return out;
}

function mainHeader(streams: number, ticksPerSecond: number): Uint8Array {
  const main = new VarintWriter().v(VERSION[0]).v(VERSION[1]).v(streams).v(MAX_DISTANCE).v(1).v(1).v(ticksPerSecond);
  // One row fills the frame code table: every frame says all of its fields itself. Then: no elided headers.
  main.v(Flag.coded).v(6).s(0).v(1).v(0).v(0).v(0).v(255).v(0).v(PIPE);
  return packet(MAIN, main.done());
}

function pictureHeader({ width, height, tag = 'I420' }: NutPictures): Uint8Array {
  const size = new VarintWriter().v(width).v(height).v(1).v(1).v(0);
  return streamHeader(0, VIDEO, new TextEncoder().encode(tag), new Uint8Array(), size.done());
}

function audioHeader(id: number, { tag, extradata, sampleRate, channels }: AudioFormat): Uint8Array {
  return streamHeader(id, AUDIO, tag, extradata, new VarintWriter().v(sampleRate).v(1).v(channels).done());
}

/** About stream 0, all of it: one text. */
function frameRateOf(perSecond: number): Uint8Array {
  const [name, rate] = ['r_frame_rate', `${Math.round(1000 * perSecond)}/1000`].map((t) => new TextEncoder().encode(t));
  return packet(INFO, new VarintWriter().v(1).s(0).v(0).v(0).v(1).vb(name!).s(-1).vb(rate!).done());
}

function streamHeader(id: number, kind: number, tag: Uint8Array, extradata: Uint8Array, rest: Uint8Array): Uint8Array {
  const stream = new VarintWriter().v(id).v(kind).vb(tag).v(0).v(PTS_SHIFT).v(1_000_000_000).v(0).v(0).vb(extradata);
  return packet(STREAM, concat(stream.done(), rest));
}

function syncpoint(ticks: number): Uint8Array {
  return packet(SYNCPOINT, new VarintWriter().v(ticks).v(0).done());
}

function frameHeader(id: number, codedTicks: number, byteLength: number): Uint8Array {
  const flags = Flag.key | Flag.codedPts | Flag.streamId | Flag.sizeMsb | Flag.checksum;
  const head = new VarintWriter().byte(0).v(flags).v(id).v(codedTicks).v(byteLength).done();
  return concat(head, new VarintWriter().u32(crc32(head)).done());
}
