import { AudioTrack } from '../../core/audio/audio-track.ts';
import { withOpusHead } from '../../core/audio/codec.ts';
import type { RtpPayload } from '../../core/rtp.ts';
import { ReorderBuffer, type Reordered } from '../../core/rtp-reorder.ts';
import { SoundClock } from './sound-clock.ts';

/** What WebRTC says of all Opus (RFC 7587), whether its packets are mono or stereo. */
const OPUS = withOpusHead({
  tag: new TextEncoder().encode('Opus'),
  extradata: new Uint8Array(),
  sampleRate: 48_000,
  channels: 2,
});

type Arrived = RtpPayload & { readonly arrivedMs: number };

/** A publisher's Opus out of RTP packets, on the clock of his pictures. */
export class PublisherSound {
  readonly track = new AudioTrack(OPUS);
  readonly clock = new SoundClock();
  readonly #reorder = new ReorderBuffer<Arrived>();
  readonly #timeOf: (sourceUs: number) => number | undefined;

  /** @param timeOf the frames' time for a time of the source; undefined when there is no picture to be in sync with */
  constructor(timeOf: (sourceUs: number) => number | undefined) {
    this.#timeOf = timeOf;
  }

  push(packet: RtpPayload, nowMs: number): void {
    this.#take(this.#reorder.push({ ...packet, arrivedMs: nowMs }, nowMs));
  }

  /** Call now and then: gives up on packets that do not come. */
  poll(nowMs: number): void {
    this.#take(this.#reorder.poll(nowMs));
  }

  #take(entries: Reordered<Arrived>[]): void {
    for (const entry of entries) {
      // A packet of padding only keeps the sequence going.
      if (entry === 'gap' || entry.packet.payload.length === 0) continue;
      const { timestamp, arrivedMs, payload } = entry.packet;
      const sourceUs = this.clock.place(timestamp, arrivedMs);
      const timestampUs = sourceUs === undefined ? undefined : this.#timeOf(sourceUs);
      if (timestampUs === undefined) this.track.drop('unplaced');
      // The packet's memory is the receiver's.
      else this.track.push({ data: Uint8Array.from(payload), timestampUs });
    }
  }
}
