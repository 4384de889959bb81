import type { PictureFormat } from '../../core/video-frame.ts';
import type { Source, SourceInfo } from '../source.ts';
import { LiveFrames } from './live-frames.ts';

/** Enough for a viewer to see that he is connected. */
const EVERY_MS = 500;

/** What a stream shows before its first picture, and after its last: frames without a picture, to be veiled. */
export class BlankSource implements Source {
  readonly info: SourceInfo;
  readonly decodeErrors = 0;
  readonly #frames: LiveFrames;
  readonly #timer: NodeJS.Timeout;
  ended = false;

  constructor(format: PictureFormat) {
    this.info = { format, hasAudio: false };
    this.#frames = new LiveFrames(format, 1);
    this.#timer = setInterval(() => this.#frames.offerBlank('start-up'), EVERY_MS).unref();
  }

  get frames() {
    return this.#frames.frames;
  }

  get elapsedUs(): number {
    return this.#frames.elapsedUs;
  }

  get counts() {
    return this.#frames.counts;
  }

  close(): Promise<void> {
    this.ended = true;
    clearInterval(this.#timer);
    this.#frames.end();
    return Promise.resolve();
  }
}
