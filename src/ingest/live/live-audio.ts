import type { Readable } from 'node:stream';
import { AudioReader } from '../../core/audio/audio-reader.ts';
import { type AudioFormat, AudioTrack, sameFormat } from '../../core/audio/audio-track.ts';
import { withOpusHead } from '../../core/audio/codec.ts';
import type { FfmpegProcess } from '../../core/ffmpeg.ts';

/** What a live decoder says when it cannot begin because of the sound: there is none, or NUT does not carry it. */
const NO_AUDIO = /matches no streams|does not contain any stream|output (file|stream) #?1|out#1/i;

export const failedForAudio = (log: string): boolean => NO_AUDIO.test(log);

/** The sound of a live decoder's `pipe:3`, from one process after the other, on the clock of the pictures. */
export class LiveAudio {
  /** Known as soon as the first process has opened its input. */
  track: AudioTrack | undefined;
  readonly opened: Promise<void>;
  /** The pictures' time for a time of the decoder; undefined: there is no picture to be in sync with. */
  timeOf: ((sourceUs: number) => number | undefined) | undefined;
  onWarning: ((sentence: string) => void) | undefined;
  #found: () => void = () => {};
  #child: FfmpegProcess | undefined;
  /** This process has given a picture: only then is its clock known. */
  #placed = false;

  constructor() {
    this.opened = new Promise((resolve) => {
      this.#found = resolve;
    });
  }

  /** Reads what the process writes, always and all of it: a full pipe would hold the pictures up. */
  follow(child: FfmpegProcess): void {
    this.#child = child;
    this.#placed = false;
    const pipe = child.process.stdio[3] as Readable;
    let usable = false;
    let broken = false;
    const reader = new AudioReader({
      onFormat: (format) => {
        usable = this.#accept(format);
      },
      onPacket: (data, sourceUs) => {
        if (!usable || !this.#placed || this.#child !== child) return;
        const timestampUs = this.timeOf?.(sourceUs);
        if (timestampUs === undefined) this.track?.drop('unplaced');
        else this.track?.push({ data, timestampUs });
      },
    });
    // A broken pipe shows as the process's exit.
    pipe.on('error', () => {});
    pipe.on('data', (chunk: Uint8Array) => {
      if (broken) return;
      try {
        reader.push(chunk);
      } catch {
        broken = true;
        this.onWarning?.('the sound of the live input cannot be read and is left out until it is opened again');
      }
    });
  }

  pictureCame(): void {
    this.#placed = true;
  }

  #accept(told: AudioFormat): boolean {
    const format = withOpusHead(told);
    this.track ??= new AudioTrack(format);
    this.#found();
    if (sameFormat(this.track.format, format)) return true;
    this.onWarning?.('the live input has come back with another kind of sound, which is left out');
    return false;
  }
}
