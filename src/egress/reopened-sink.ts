import { SealedFrame } from '../core/video-frame.ts';
import type { Sink } from './sink.ts';

const FIRST_PAUSE_MS = 1000;
const MAX_PAUSE_MS = 30_000;
/** The first attempt is waited for this long: a name server that does not answer must not hold the stream up. */
const FIRST_WAIT_MS = 2000;

/**
 * An output that may not be there yet: a host that is not known, a disk that is not mounted, a device that is not plugged in. It is
 * opened again with growing pauses until it can be; what comes meanwhile is dropped and counted.
 */
export class ReopenedSink implements Sink {
  readonly #open: () => Promise<Sink>;
  readonly #onFailure: (error: unknown) => void;
  #sink: Sink | undefined;
  #opening: Promise<void> = Promise.resolve();
  #retry: NodeJS.Timeout | undefined;
  #pauseMs: number;
  #closed = false;
  #missed = 0;

  private constructor(open: () => Promise<Sink>, onFailure: (error: unknown) => void, firstPauseMs: number) {
    this.#open = open;
    this.#onFailure = onFailure;
    this.#pauseMs = firstPauseMs;
  }

  /**
   * Resolves after the first attempt, whatever came of it, if that does not take long.
   * @param open may throw, too
   * @param onFailure told of each attempt that failed
   */
  static async open(
    open: () => Promise<Sink>,
    onFailure: (error: unknown) => void,
    firstPauseMs = FIRST_PAUSE_MS,
  ): Promise<ReopenedSink> {
    const sink = new ReopenedSink(open, onFailure, firstPauseMs);
    let waited: NodeJS.Timeout | undefined;
    const late = new Promise<void>((resolve) => {
      waited = setTimeout(resolve, FIRST_WAIT_MS);
    });
    await Promise.race([sink.#attempt(), late]);
    clearTimeout(waited);
    return sink;
  }

  get dropped(): number {
    return this.#missed + (this.#sink?.dropped ?? 0);
  }

  get delivered(): boolean {
    return this.#sink?.delivered ?? false;
  }

  async write(frame: SealedFrame): Promise<void> {
    if (!SealedFrame.isSealed(frame)) throw new Error('only a SealedFrame may leave');
    if (this.#sink) return this.#sink.write(frame);
    this.#missed++;
    frame.close();
  }

  async finish(how?: { readonly early?: boolean }): Promise<void> {
    await this.#close();
    await this.#sink?.finish(how);
  }

  async abort(): Promise<void> {
    await this.#close();
    await this.#sink?.abort();
  }

  /** One that is being opened is waited for: nobody else would ever close it. */
  async #close(): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#retry);
    await this.#opening;
  }

  #attempt(): Promise<void> {
    this.#opening = this.#openOnce();
    return this.#opening;
  }

  async #openOnce(): Promise<void> {
    try {
      this.#sink = await this.#open();
    } catch (error) {
      this.#onFailure(error);
      if (this.#closed) return;
      this.#retry = setTimeout(() => this.#attempt(), this.#pauseMs).unref();
      this.#pauseMs = Math.min(this.#pauseMs * 2, MAX_PAUSE_MS);
    }
  }
}
