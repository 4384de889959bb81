import type { Writable } from 'node:stream';
import type { FfmpegProcess } from '../../core/ffmpeg.ts';
import { lastLine } from '../../core/ffmpeg.ts';
import { NutWriter } from '../../core/nut/muxer.ts';
import { SealedFrame } from '../../core/video-frame.ts';
import type { Sink } from '../sink.ts';
import type { AudioLane } from './audio-lane.ts';

export interface LiveSinkOptions {
  /** Without taking a frame for this long the process is taken for hung and started again. */
  readonly stallMs: number;
  /** Sound that goes beside the pictures. */
  readonly audio?: AudioLane | undefined;
  /** The process is an ffmpeg before 5. */
  readonly narrowNut?: boolean;
  readonly onWarning?: (sentence: string) => void;
}

/** What an ffmpeg with `-progress pipe:1` says after its first frame. */
const PROGRESS = /frame= *[1-9]/;
const FIRST_BACKOFF_MS = 500;
const MAX_BACKOFF_MS = 10_000;

/**
 * An ffmpeg process that encodes and publishes. A receiver that goes away costs frames, never the stream: the process is
 * started again with growing pauses and what comes meanwhile is dropped and counted.
 */
export class LiveSink implements Sink {
  readonly #start: () => FfmpegProcess;
  readonly #options: LiveSinkOptions;
  #child: FfmpegProcess | undefined;
  #nut: NutWriter | undefined;
  #startUs: number | undefined;
  #backoffMs = FIRST_BACKOFF_MS;
  #retryAtMs = 0;
  #closed = false;
  dropped = 0;
  /** A process encoded a frame: it does once its output is open. That frames were written to it says nothing. */
  delivered = false;
  written = 0;
  restarts = 0;

  constructor(start: () => FfmpegProcess, options: LiveSinkOptions) {
    this.#start = start;
    this.#options = options;
  }

  async write(frame: SealedFrame): Promise<void> {
    if (!SealedFrame.isSealed(frame)) throw new Error('only a SealedFrame may leave');
    const child = this.#running();
    const stdin = child?.process.stdin as Writable | undefined;
    if (!child || !stdin || stdin.writableNeedDrain || !stdin.writable) {
      this.dropped++;
      frame.close();
      return;
    }
    const { audio } = this.#options;
    if (!this.#nut) {
      const narrow = this.#options.narrowNut ?? false;
      this.#nut = new NutWriter(frame.format, { audio: audio?.format, narrow, endless: true });
      stdin.write(this.#nut.header);
    }
    this.#startUs ??= frame.timestampUs;
    const sound = audio?.upTo(frame.timestampUs, this.#startUs);
    const { pixels } = frame;
    stdin.write(this.#nut.picture(frame.timestampUs - this.#startUs, pixels.length, sound));
    let gone = false;
    const sent = new Promise<void>((done) => {
      stdin.write(pixels, () => {
        gone = true;
        done();
      });
    });
    let stalled: NodeJS.Timeout | undefined;
    const late = new Promise<void>((done) => {
      stalled = setTimeout(done, this.#options.stallMs).unref();
    });
    await child.orExit(Promise.race([sent, late]));
    clearTimeout(stalled);
    if (!gone) {
      // Hung: the slot is only free once the process can read no more of it.
      child.process.kill('SIGKILL');
      await child.exited;
    } else {
      this.written++;
      this.#backoffMs = FIRST_BACKOFF_MS;
    }
    frame.close();
  }

  async finish(): Promise<void> {
    this.#closed = true;
    const child = this.#child;
    child?.process.stdin?.end();
    await this.#options.audio?.close();
    if (child && !(await Promise.race([child.exited.then(() => true), pause(3000)]))) await this.abort();
  }

  async abort(): Promise<void> {
    this.#closed = true;
    this.#child?.process.kill('SIGKILL');
    await this.#options.audio?.close();
    await this.#child?.exited;
  }

  #running(): FfmpegProcess | undefined {
    if (this.#child || this.#closed || performance.now() < this.#retryAtMs) return this.#child;
    const child = this.#start();
    this.#child = child;
    this.#nut = undefined;
    this.#startUs = undefined;
    // A broken pipe shows as the process's exit.
    child.process.stdin?.on('error', () => {});
    child.process.stdout?.setEncoding('utf8').on('data', (text: string) => {
      this.delivered ||= PROGRESS.test(text);
    });
    this.#options.audio?.restart();
    void child.exited.then(() => this.#ended(child));
    return child;
  }

  #ended(child: FfmpegProcess): void {
    if (this.#child === child) this.#child = undefined;
    if (this.#closed) return;
    this.restarts++;
    this.#retryAtMs = performance.now() + this.#backoffMs;
    this.#options.onWarning?.(
      `the live output ended (${lastLine(child.errors())}); trying again in ${this.#backoffMs / 1000} s`,
    );
    this.#backoffMs = Math.min(this.#backoffMs * 2, MAX_BACKOFF_MS);
  }
}

/** Resolves with undefined; does not keep the process alive. */
function pause(ms: number): Promise<undefined> {
  return new Promise((resolve) => setTimeout(() => resolve(undefined), ms).unref());
}
