import { NutDemuxer } from '../nut/demuxer.ts';
import type { AudioFormat } from './audio-track.ts';

/** No coded packet is larger; a stream that says so is damaged. */
const MAX_BYTES = 1 << 20;

export interface AudioReaderPorts {
  onFormat(format: AudioFormat): void;
  /** @param timestampUs on the clock of the process that writes */
  onPacket(data: Uint8Array, timestampUs: number): void;
}

/** Reads the NUT of one coded sound. Takes sound only: pictures are refused, whatever the process was told to write. */
export class AudioReader {
  readonly #demuxer = new NutDemuxer();
  readonly #ports: AudioReaderPorts;
  #packet: { data: Uint8Array; filled: number; timestampUs: number } | undefined;

  constructor(ports: AudioReaderPorts) {
    this.#ports = ports;
  }

  /** @throws Error when it is not the NUT of a sound */
  push(chunk: Uint8Array): void {
    this.#demuxer.push(chunk);
    for (;;) {
      if (this.#packet && !this.#fill(this.#packet)) return;
      const event = this.#demuxer.next();
      if (!event) return;
      if ('stream' in event) {
        if (!event.stream.audio) throw new Error('pictures came where only sound may');
        this.#ports.onFormat(event.stream.audio);
      } else {
        const { byteLength, prefix, timestampUs } = event.frame;
        if (byteLength > MAX_BYTES) throw new Error('a packet of sound is too large');
        const data = new Uint8Array(prefix.length + byteLength);
        data.set(prefix);
        this.#packet = { data, filled: prefix.length, timestampUs };
      }
    }
  }

  #fill(packet: { data: Uint8Array; filled: number; timestampUs: number }): boolean {
    const part = this.#demuxer.take(packet.data.length - packet.filled);
    packet.data.set(part, packet.filled);
    packet.filled += part.length;
    if (packet.filled < packet.data.length) return false;
    this.#packet = undefined;
    this.#ports.onPacket(packet.data, packet.timestampUs);
    return true;
  }
}
