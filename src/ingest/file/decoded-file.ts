import type { Readable } from 'node:stream';
import { Observable } from 'rxjs';
import { ExitCode, UnderstudyError } from '../../core/errors.ts';
import { type FfmpegProcess, lastLine } from '../../core/ffmpeg.ts';
import { FramePool } from '../../core/frame-pool.ts';
import { NutDemuxer } from '../../core/nut/demuxer.ts';
import { copyToShared } from '../../core/shared-copy.ts';
import { type ColourSpec, type FrameSlot, planeLayout, RawFrame } from '../../core/video-frame.ts';
import type { Source, SourceInfo } from '../source.ts';
import { DamageWatch } from './damage.ts';
import type { KeyFrame } from './key-frames.ts';
import { type FileProbe, inputError } from './probe.ts';

export interface DecodedFileOptions {
  readonly colour: ColourSpec;
  /** By how much the decoder's times are later than the file's. */
  readonly shiftUs: number;
  readonly poolFrames: number;
  readonly damageLookback: number;
  /** The file is read from its beginning to its end, so that its length is known. */
  readonly wholeRead: boolean;
  /** A still picture: its one frame is handed on when all of the file has been decoded without an error, else not at all. */
  readonly refuseDamaged?: boolean;
  readonly keyFrames: (fromUs: number) => Promise<readonly KeyFrame[]>;
  readonly start: (onError: (line: string) => void) => FfmpegProcess;
}

/** Where times stand still or go back, ffmpeg puts each picture a microsecond after the one before; a few at one time are nothing unusual. */
const STANDSTILL_US = 1;
const STANDSTILL_PICTURES = 10;

/** A file that an ffmpeg process decodes straight into pooled shared memory; a full pool pauses the decoder. */
export class DecodedFile implements Source {
  readonly info: SourceInfo;
  readonly probe: FileProbe;
  readonly frames: Observable<RawFrame>;
  readonly #path: string;
  readonly #pool: FramePool;
  readonly #options: DecodedFileOptions;
  readonly #damage: DamageWatch<RawFrame>;
  #process: FfmpegProcess | undefined;
  #sequence = 0;
  #lastUs = 0;
  /** Pictures in a row without a time of their own, and when first there were many. */
  #timeless = 0;
  #standstillUs: number | undefined;
  #closed = false;

  constructor(path: string, probe: FileProbe, options: DecodedFileOptions) {
    this.#path = path;
    this.probe = probe;
    this.#options = options;
    const { width, height } = probe;
    this.info = {
      format: { width, height, colour: options.colour },
      hasAudio: probe.hasAudio,
      ...(probe.frameRate && { frameRate: probe.frameRate }),
      ...(probe.frameCount && { frameCount: probe.frameCount }),
      ...(probe.durationUs && { durationUs: probe.durationUs }),
    };
    this.#damage = new DamageWatch(options.damageLookback, probe.frameRate ?? 30, options.keyFrames);
    this.#pool = new FramePool(planeLayout(width, height).byteLength, options.poolFrames);
    this.frames = new Observable((subscriber) => {
      const child = options.start((line) => this.#damage.report(line));
      this.#process = child;
      this.#read(child, (frame) => subscriber.next(frame)).then(
        () => subscriber.complete(),
        (error) => subscriber.error(error),
      );
      return () => void child.process.kill('SIGKILL');
    });
  }

  get decodeErrors(): number {
    return this.#damage.errors;
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#process?.process.kill('SIGKILL');
    await this.#process?.exited;
  }

  async #read(child: FfmpegProcess, emit: (frame: RawFrame) => void): Promise<void> {
    const demuxer = new NutDemuxer();
    let slot: FrameSlot | undefined;
    let target: Uint8Array = new Uint8Array();
    let filled = 0;
    let timestampUs = 0;
    let whole: RawFrame | undefined;
    try {
      for await (const chunk of child.process.stdout as Readable) {
        demuxer.push(chunk as Uint8Array);
        for (;;) {
          if (slot) {
            const part = demuxer.take(target.length - filled);
            copyToShared(target, part, filled);
            filled += part.length;
            if (filled < target.length) break;
            const frame = this.#frame(timestampUs, slot);
            slot = undefined;
            await this.#damage.judge(frame);
            if (this.#options.refuseDamaged) whole = frame;
            else emit(frame);
          }
          const event = demuxer.next();
          if (!event) break;
          if ('stream' in event) this.#checkSize(event.stream);
          else {
            slot = await this.#pool.acquire();
            target = new Uint8Array(slot.memory, 0, event.frame.byteLength);
            filled = 0;
            timestampUs = event.frame.timestampUs - this.#options.shiftUs;
          }
        }
      }
    } finally {
      slot?.release();
    }
    await this.#checkEnd(child, slot !== undefined);
    if (!whole) return;
    if (this.decodeErrors > 0) {
      whole.close();
      throw inputError(`${this.#path} is damaged (${lastLine(child.errors())})`, 'get another copy of it');
    }
    emit(whole);
  }

  #frame(timestampUs: number, slot: FrameSlot): RawFrame {
    this.#timeless = timestampUs - this.#lastUs === STANDSTILL_US ? this.#timeless + 1 : 0;
    if (this.#timeless >= STANDSTILL_PICTURES) this.#standstillUs ??= timestampUs;
    this.#lastUs = timestampUs;
    return new RawFrame({ sequence: this.#sequence++, timestampUs, format: this.info.format }, slot);
  }

  #checkSize(stream: { width: number; height: number }): void {
    const { width, height } = this.info.format;
    if (stream.width !== width || stream.height !== height) {
      throw inputError(
        `${this.#path} says ${width}×${height} and decodes to ${stream.width}×${stream.height}`,
        'copy it into a new container with ffmpeg',
      );
    }
  }

  async #checkEnd(child: FfmpegProcess, midFrame: boolean): Promise<void> {
    const code = await child.exited;
    this.#damage.ended();
    if (this.#closed) return;
    if (typeof code === 'string') {
      throw new UnderstudyError(
        ExitCode.tool,
        `the decoder of ${this.#path} was ended by ${code}`,
        'run it again; if it repeats, check memory and the ffmpeg build',
      );
    }
    if (this.#sequence === 0)
      throw inputError(
        `no picture could be decoded from ${this.#path} (${lastLine(child.errors())})`,
        'check the file with ffprobe',
      );
    if (code !== 0 || midFrame || this.#endsEarly())
      throw inputError(
        `${this.#path} ends early: ${lastLine(child.errors())}`,
        'what came before it has been anonymized and kept',
      );
    if (this.#standstillUs !== undefined)
      throw inputError(
        `the times of ${this.#path} go back or stand still at ${(this.#standstillUs / 1e6).toFixed(1)} s: all that comes then flashes by in the output`,
        'copy it into a new file with ffmpeg first: ffmpeg -i OLD -c copy NEW.mkv',
      );
  }

  /** A file that was cut off says so, or is shorter than it says while the decoder complained. */
  #endsEarly(): boolean {
    if (!this.#options.wholeRead || this.decodeErrors === 0) return false;
    const { durationUs, startUs } = this.probe;
    const missingUs = durationUs ? startUs + durationUs - this.#lastUs : 0;
    return this.#damage.brokenOff || missingUs > 0.5e6;
  }
}
