import type { AudioFormat, AudioPacket, SoundDrop } from '../../core/audio/audio-track.ts';
import { durationUs, silence } from '../../core/audio/codec.ts';
import type { DeliveredAudio } from '../../core/audio/deliver.ts';

/**
 * The encoder's arguments for sound beside the pictures. It comes through the pictures' own pipe: of two inputs ffmpeg
 * would let no picture pass before the sound of its time. It is copied, never encoded, here: else no picture passes
 * before the first sound.
 */
export const AUDIO_COPIED = ['-map', '0:a:0', '-c:a', 'copy', '-max_interleave_delta', '1'];

/** Sound that waits for its picture, at most this long. */
const MAX_WAIT_US = 5_000_000;
/** Without sound for this long silence is sent: a player that waits for sound would stop the picture. */
const SILENT_AFTER_US = 500_000;
/** Beyond it nothing is filled: no picture came either, or it would have been, and hours of it would be a million packets at once. */
const MAX_FILL_US = 10_000_000;
/** A packet that begins this much before the end of the last one is a rounding error, not an overlap. */
const TOLERANCE_US = 3000;

/** One output's sound: held back until its picture leaves, in order, without a hole that lasts. Never waits for anything. */
export class AudioLane {
  readonly #audio: DeliveredAudio;
  readonly #unsubscribe: () => void;
  readonly #waiting: AudioPacket[] = [];
  readonly #silence: Uint8Array;
  readonly #silenceUs: number;
  #originUs: number | undefined;
  /** End of what has been sent, on the source's clock. */
  #endUs = 0;
  #lastUs = 0;
  #filling = false;
  sent = 0;
  silent = 0;
  dropped = 0;

  constructor(audio: DeliveredAudio) {
    this.#audio = audio;
    this.#silence = silence(audio.codec, audio.track.format);
    this.#silenceUs = durationUs(audio.codec, audio.track.format, this.#silence);
    this.#unsubscribe = audio.track.subscribe((packet) => this.#take(packet));
  }

  get format(): AudioFormat {
    return this.#audio.track.format;
  }

  /** A new encoder process, whose first picture comes next. */
  restart(): void {
    this.#originUs = undefined;
    this.#filling = false;
  }

  /**
   * A picture leaves: so does the sound up to it. @param originUs the time that is zero in the output
   * @returns packets on the output's clock, to be written before it
   */
  upTo(timestampUs: number, originUs: number): AudioPacket[] {
    const out: AudioPacket[] = [];
    if (this.#originUs === undefined) {
      this.#originUs = originUs;
      // ffmpeg opens an input when it has seen a packet of each stream.
      this.#write(out, { data: this.#silence, timestampUs });
    }
    // One packet goes ahead: with it the muxer does not hold the picture back for the sound.
    while (this.#lastUs <= timestampUs && this.#waiting[0]) {
      const next = this.#waiting[0].timestampUs;
      if (next - this.#endUs > SILENT_AFTER_US) {
        // Sound that is back from an outage goes with its picture, after the silence that takes the outage's place.
        if (next > timestampUs) break;
        this.#fill(out, next - this.#silenceUs);
      }
      this.#send(out, this.#waiting.shift()!);
    }
    if (timestampUs - this.#endUs > SILENT_AFTER_US) this.#filling = true;
    if (this.#filling) this.#fill(out, timestampUs);
    return out;
  }

  async close(): Promise<void> {
    this.#unsubscribe();
    this.#waiting.length = 0;
    await this.#audio.close();
  }

  /** Silence until its end is past this time. */
  #fill(out: AudioPacket[], untilUs: number): void {
    this.#endUs = Math.max(this.#endUs, untilUs - MAX_FILL_US);
    while (this.#endUs < untilUs) {
      this.#write(out, { data: this.#silence, timestampUs: this.#endUs });
      this.silent++;
    }
  }

  #take(packet: AudioPacket): void {
    this.#waiting.push(packet);
    while (packet.timestampUs - this.#waiting[0]!.timestampUs > MAX_WAIT_US) {
      this.#waiting.shift();
      this.#drop('queue');
    }
  }

  #send(out: AudioPacket[], packet: AudioPacket): void {
    // The sound is back: with more silence each of its packets would find its place taken.
    if (packet.timestampUs > this.#endUs - SILENT_AFTER_US) this.#filling = false;
    // What comes from before the first picture, or after silence has taken its place.
    if (packet.timestampUs < this.#endUs - TOLERANCE_US) {
      this.#drop('late');
      return;
    }
    this.#write(out, packet);
    this.sent++;
  }

  #drop(reason: SoundDrop): void {
    this.dropped++;
    this.#audio.track.drop(reason);
  }

  #write(out: AudioPacket[], { data, timestampUs }: AudioPacket): void {
    const { codec, track } = this.#audio;
    this.#lastUs = timestampUs;
    this.#endUs = timestampUs + durationUs(codec, track.format, data);
    out.push({ timestampUs: Math.max(0, Math.round(timestampUs - this.#originUs!)), data });
  }
}
