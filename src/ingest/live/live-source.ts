import type { Readable } from 'node:stream';
import type { AudioTrack } from '../../core/audio/audio-track.ts';
import { ExitCode, UnderstudyError } from '../../core/errors.ts';
import type { FfmpegProcess } from '../../core/ffmpeg.ts';
import type { NutStream } from '../../core/nut/demuxer.ts';
import type { PictureFormat } from '../../core/video-frame.ts';
import type { Source, SourceInfo } from '../source.ts';
import { DecoderLog } from './decoder-log.ts';
import { failedForAudio, LiveAudio } from './live-audio.ts';
import { type LiveCounts, LiveFrames } from './live-frames.ts';
import { readPictures } from './picture-reader.ts';

/**
 * What leaves while the source is away: veiled frames, one veiled frame that stays, or nothing, as the stream ends;
 * `complete` is for a source whose end is no failure.
 */
export type OnSourceLost = 'veil' | 'freeze-veiled' | 'stop' | 'complete';

export interface LiveSourceOptions {
  /** Frames with the pipeline at once: its stages and the look-ahead. */
  readonly inFlight: number;
  readonly onSourceLost: OnSourceLost;
  /** Without a picture for this long the connection is taken for dead and made again. */
  readonly stallMs: number;
  /** Read the sound too. */
  readonly keepAudio: boolean;
  readonly onWarning?: (sentence: string) => void;
}

/**
 * Starts a decoder that writes rawvideo NUT. @param canvas size that all pictures must have; undefined: the stream's own
 * @param audio write the sound to `pipe:3`
 */
export type StartDecoder = (
  canvas: PictureFormat | undefined,
  audio: boolean,
  onLine: (line: string) => void,
) => FfmpegProcess;
/** Turns what a decoder said before its first picture into a sentence for the user. */
export type ExplainFailure = (log: string) => UnderstudyError;

const FIRST_BACKOFF_MS = 500;
const MAX_BACKOFF_MS = 10_000;
/** After this long without a picture, or once the decoder has ended, veiled frames are sent, at this interval. */
const BLANK_AFTER_MS = 1000;
const BLANK_EVERY_MS = 200;
/** The sound's format is there before the first picture: this is for a busy machine. */
const AUDIO_FORMAT_MS = 500;

/** An ffmpeg process that decodes a stream, started again with growing pauses for as long as the source is open. */
export class LiveSource implements Source {
  readonly info: SourceInfo;
  readonly frames;
  readonly #frames: LiveFrames;
  readonly #start: StartDecoder;
  readonly #options: LiveSourceOptions;
  #log = new DecoderLog(() => this.#frames?.markRecentDamaged());
  #errorsBefore = 0;
  #child: FfmpegProcess;
  readonly #audio: LiveAudio | undefined;
  #withAudio: boolean;
  #lastPictureMs = performance.now();
  #frozen = false;
  /** The decoder has ended and none has given a picture since: a viewer is not left looking at the last one. */
  #gone = false;
  /** Frames without a picture since the last picture. */
  #blanks = 0;
  #closed = false;
  readonly #watch: NodeJS.Timeout;
  reconnects = 0;

  private constructor(start: StartDecoder, options: LiveSourceOptions, first: FirstRun) {
    this.#start = start;
    this.#options = options;
    this.#child = first.child;
    this.#log = first.log;
    this.#audio = first.audio;
    this.#withAudio = first.audio !== undefined;
    this.info = { format: first.format, hasAudio: this.audio !== undefined };
    this.#frames = new LiveFrames(first.format, options.inFlight);
    if (this.#audio) {
      this.#audio.timeOf = (sourceUs) => this.#frames.timeOf(sourceUs);
      this.#audio.onWarning = options.onWarning;
    }
    this.frames = this.#frames.frames;
    first.attach(this);
    this.#watch = setInterval(() => this.#check(), BLANK_EVERY_MS / 2);
    void this.#supervise(first.done);
  }

  /** Resolves with the first picture's size known. @throws UnderstudyError when there is none within `openMs` */
  static async open(
    start: StartDecoder,
    options: LiveSourceOptions & { readonly openMs: number; readonly canvas?: PictureFormat },
    explain: ExplainFailure,
  ): Promise<LiveSource> {
    let first = new FirstRun(start, options.canvas, options.keepAudio);
    let late = false;
    const timer = setTimeout(() => {
      late = true;
      first.child.process.kill('SIGKILL');
    }, options.openMs);
    let failure = await first.opened;
    if (failure !== undefined && first.audio && !late && failedForAudio(failure)) {
      first = new FirstRun(start, options.canvas, false);
      failure = await first.opened;
    }
    clearTimeout(timer);
    if (failure !== undefined) throw explain(failure);
    return new LiveSource(start, options, first);
  }

  /** Undefined without sound, or when it is not kept. */
  get audio(): AudioTrack | undefined {
    return this.#audio?.track;
  }

  get decodeErrors(): number {
    return this.#errorsBefore + this.#log.errors;
  }

  /** Now on the clock of the frames' time stamps: a frame's age is the difference. */
  get elapsedUs(): number {
    return this.#frames.elapsedUs;
  }

  get counts(): LiveCounts {
    return this.#frames.counts;
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    clearInterval(this.#watch);
    this.#frames.end();
    this.#child.process.kill('SIGKILL');
    await this.#child.exited;
  }

  /** @private for the reader */
  readonly ports = {
    onStream: () => {},
    slot: () => this.#frames.tryTakeSlot(),
    onPicture: (slot: ReturnType<LiveFrames['tryTakeSlot']>, timestampUs: number) => {
      this.#lastPictureMs = performance.now();
      this.#frozen = false;
      this.#gone = false;
      this.#blanks = 0;
      if (!slot) return;
      this.#frames.offer(slot, timestampUs, this.#log.isDamaged(timestampUs));
      this.#audio?.pictureCame();
    },
    onDamage: () => this.#frames.markRecentDamaged(),
  };

  async #supervise(firstRun: Promise<void>): Promise<void> {
    let run = firstRun;
    let backoffMs = FIRST_BACKOFF_MS;
    while (!this.#closed) {
      const startedMs = performance.now();
      await run.catch(() => {});
      this.#child.process.kill('SIGKILL');
      await this.#child.exited;
      if (this.#closed) return;
      const { resized } = this.#log;
      if (this.#ends && !resized) {
        // The last pictures are still on their way through the stages.
        if (this.#options.onSourceLost === 'complete') this.#frames.end();
        else {
          const remedy = 'start it again when it is back, or set live.onSourceLost=veil';
          this.#frames.end(new UnderstudyError(ExitCode.input, 'the live input ended', remedy));
        }
        return;
      }
      this.#gone = true;
      const gavePictures = this.#lastPictureMs > startedMs;
      if (gavePictures) backoffMs = FIRST_BACKOFF_MS;
      // It may be the sound that keeps it from starting: every other attempt is made without.
      this.#withAudio = this.#audio !== undefined && (gavePictures || !this.#withAudio);
      const what = resized ? 'changed the size of its pictures; opening it again' : 'is gone; trying again';
      this.#options.onWarning?.(`the live input ${what} in ${backoffMs / 1000} s`);
      await new Promise((resolve) => setTimeout(resolve, backoffMs));
      backoffMs = Math.min(backoffMs * 2, MAX_BACKOFF_MS);
      if (this.#closed) return;
      this.reconnects++;
      this.#frames.cutBeforeNext();
      this.#errorsBefore += this.#log.errors;
      this.#log = new DecoderLog(() => this.#frames.markRecentDamaged());
      const log = this.#log;
      this.#child = this.#start(this.info.format, this.#withAudio, (line) => log.line(line));
      if (this.#withAudio) this.#audio?.follow(this.#child);
      this.#startedMs = performance.now();
      run = readPictures(this.#child.process.stdout as Readable, this.ports);
    }
  }

  /** The stream ends with its source. */
  get #ends(): boolean {
    return this.#options.onSourceLost === 'stop' || this.#options.onSourceLost === 'complete';
  }

  #startedMs = performance.now();
  #lastBlankMs = 0;

  #check(): void {
    const now = performance.now();
    const silentMs = now - Math.max(this.#lastPictureMs, this.#startedMs);
    if (silentMs > this.#options.stallMs) {
      this.#startedMs = now;
      this.#child.process.kill('SIGKILL');
    }
    if (!this.#gone && now - this.#lastPictureMs < BLANK_AFTER_MS) return;
    if (now - this.#lastBlankMs < BLANK_EVERY_MS || this.#frozen || this.#ends) return;
    this.#lastBlankMs = now;
    // One that there was no memory for is still to come: without it the last picture would stay. As many as the look-ahead may hold back.
    if (this.#frames.offerBlank()) this.#blanks++;
    this.#frozen = this.#options.onSourceLost === 'freeze-veiled' && this.#blanks >= this.#options.inFlight;
  }
}

/** The first connection: its pictures are read over until the source around it exists. */
class FirstRun {
  readonly child: FfmpegProcess;
  readonly audio: LiveAudio | undefined;
  readonly log: DecoderLog;
  /** Undefined once the stream's size is known, else what the decoder said. */
  readonly opened: Promise<string | undefined>;
  readonly done: Promise<void>;
  format!: PictureFormat;
  #source: LiveSource | undefined;

  constructor(start: StartDecoder, canvas: PictureFormat | undefined, keepAudio: boolean) {
    // Started again, the decoder fits what is of another size into the first one's.
    const onResize = canvas ? undefined : () => void this.child.process.kill('SIGKILL');
    this.log = new DecoderLog(() => this.#source?.ports.onDamage(), onResize);
    this.child = start(canvas, keepAudio, (line) => this.log.line(line));
    this.audio = keepAudio ? new LiveAudio() : undefined;
    this.audio?.follow(this.child);
    let found: (failure: string | undefined) => void = () => {};
    this.opened = new Promise((resolve) => {
      found = resolve;
    });
    this.done = readPictures(this.child.process.stdout as Readable, {
      onStream: (stream) => {
        this.format = canvas ?? formatOf(stream);
        const audioFormat = this.audio && Promise.race([this.audio.opened, pause(AUDIO_FORMAT_MS)]);
        void Promise.resolve(audioFormat).then(() => found(undefined));
      },
      slot: () => this.#source?.ports.slot(),
      onPicture: (slot, timestampUs) => this.#source?.ports.onPicture(slot, timestampUs),
    });
    const ended = () => this.child.exited.then(() => found(this.child.errors()));
    void this.done.then(ended, ended);
  }

  attach(source: LiveSource): void {
    this.#source = source;
  }
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/** Live decoders are asked for limited range, and say nothing of the matrix. */
export function formatOf({ width, height }: Pick<NutStream, 'width' | 'height'>): PictureFormat {
  return { width, height, colour: { matrix: height >= 720 ? 'bt709' : 'bt601', range: 'limited' } };
}
