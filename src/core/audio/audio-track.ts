/** Coded sound as NUT describes it; what a decoder needs to know before the first packet. */
export interface AudioFormat {
  /** NUT's fourcc: a WAVE format tag in little endian (`ff 00 00 00` is AAC) or four characters. */
  readonly tag: Uint8Array;
  /** The codec's own set-up: AudioSpecificConfig of AAC, OpusHead; empty when it has none. */
  readonly extradata: Uint8Array;
  readonly sampleRate: number;
  readonly channels: number;
}

export interface AudioPacket {
  /** On the clock of the pictures' time stamps, microseconds. */
  readonly timestampUs: number;
  readonly data: Uint8Array;
}

/**
 * Why a packet of sound was left out: it belongs to no picture that is known (`unplaced`); its place was taken, by silence or by what came
 * before (`late`); no picture left for seconds (`queue`); the encoder of the sound did not take it (`encoder`).
 */
export type SoundDrop = 'unplaced' | 'late' | 'queue' | 'encoder';

export type SoundDrops = Record<SoundDrop, number>;

/** The sound of one source, told to whoever listens. Nothing is kept: a packet that nobody takes is gone. */
export class AudioTrack {
  readonly format: AudioFormat;
  /** Packets left out so far, by all outputs together. */
  readonly drops: SoundDrops = { unplaced: 0, late: 0, queue: 0, encoder: 0 };
  onDrop: ((reason: SoundDrop) => void) | undefined;
  readonly #listeners = new Set<(packet: AudioPacket) => void>();
  readonly #from: AudioTrack | undefined;

  /** @param from the sound that this one is encoded from: what is left out is counted there too */
  constructor(format: AudioFormat, from?: AudioTrack) {
    this.format = format;
    this.#from = from;
  }

  /** @returns ends the subscription */
  subscribe(listener: (packet: AudioPacket) => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  push(packet: AudioPacket): void {
    for (const listener of this.#listeners) listener(packet);
  }

  /** Counts a packet that is left out. */
  drop(reason: SoundDrop): void {
    this.drops[reason]++;
    this.onDrop?.(reason);
    this.#from?.drop(reason);
  }
}

export function sameFormat(a: AudioFormat, b: AudioFormat): boolean {
  return (
    a.sampleRate === b.sampleRate &&
    a.channels === b.channels &&
    Buffer.compare(a.tag, b.tag) === 0 &&
    Buffer.compare(a.extradata, b.extradata) === 0
  );
}
