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

/** The sound of one source, told to whoever listens. Nothing is kept: a packet that nobody takes is gone. */
export class AudioTrack {
  readonly format: AudioFormat;
  readonly #listeners = new Set<(packet: AudioPacket) => void>();

  constructor(format: AudioFormat) {
    this.format = format;
  }

  /** @returns ends the subscription */
  subscribe(listener: (packet: AudioPacket) => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  push(packet: AudioPacket): void {
    for (const listener of this.#listeners) listener(packet);
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
