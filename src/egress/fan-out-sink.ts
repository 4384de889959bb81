import { SealedFrame } from '../core/video-frame.ts';
import type { Sink } from './sink.ts';

interface Branch {
  readonly sink: Sink;
  busy: boolean;
  failed: boolean;
}

/**
 * One stream into several sinks. The first sets the pace; another one that is still busy with the last frame misses this
 * one, and one that fails is left out from then on: neither holds the first up.
 */
export class FanOutSink implements Sink {
  readonly #first: Sink;
  readonly #others: Branch[];
  readonly #onFailure: (error: unknown, sink: Sink) => void;
  #busy = 0;

  constructor(first: Sink, others: readonly Sink[], onFailure: (error: unknown, sink: Sink) => void) {
    this.#first = first;
    this.#others = others.map((sink) => ({ sink, busy: false, failed: false }));
    this.#onFailure = onFailure;
  }

  /** Frames that the others missed: they were busy, or dropped them themselves. */
  get missed(): number {
    return this.#others.reduce((sum, { sink }) => sum + (sink.dropped ?? 0), this.#busy);
  }

  async write(frame: SealedFrame): Promise<void> {
    if (!SealedFrame.isSealed(frame)) throw new Error('only a SealedFrame may leave');
    const [own, ...handles] = frame.share(1 + this.#others.length);
    this.#others.forEach((branch, i) => {
      this.#pass(branch, handles[i]!);
    });
    await this.#first.write(own!);
  }

  async finish(how: { readonly early?: boolean } = {}): Promise<void> {
    await Promise.all(this.#others.map((branch) => this.#end(branch, how)));
    await this.#first.finish(how);
  }

  async abort(): Promise<void> {
    await Promise.all([this.#first.abort(), ...this.#others.map(({ sink }) => sink.abort())]);
  }

  #pass(branch: Branch, frame: SealedFrame): void {
    if (branch.busy || branch.failed) {
      if (branch.busy) this.#busy++;
      frame.close();
      return;
    }
    branch.busy = true;
    branch.sink.write(frame).then(
      () => {
        branch.busy = false;
      },
      (error) => {
        // A sink closes what it was given, also when it fails; this covers one that threw before it could.
        frame.close();
        branch.failed = true;
        this.#onFailure(error, branch.sink);
      },
    );
  }

  async #end(branch: Branch, how: { readonly early?: boolean }): Promise<void> {
    try {
      await (branch.failed ? branch.sink.abort() : branch.sink.finish(how));
    } catch (error) {
      this.#onFailure(error, branch.sink);
    }
  }
}
