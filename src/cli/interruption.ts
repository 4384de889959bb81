import { discardUnfinished } from '../egress/file/encoded-file.ts';

/** A native call that does not come back within this time is not waited for. */
const PATIENCE_MS = 5000;

/** Ctrl-C and SIGTERM: the first asks to complete what has been read, the second to drop the output and end. */
export class Interruption {
  readonly #stop = new AbortController();
  /** The output has been dropped: whatever fails now fails because of that. */
  dropped = false;
  readonly #onSignal = () => {
    if (!this.#stop.signal.aborted) {
      this.#stop.abort();
      return;
    }
    this.dropped = true;
    // The run ends by the failure of its encoder. To exit here would end threads inside native calls, which aborts the process.
    discardUnfinished();
    setTimeout(() => process.kill(process.pid, 'SIGKILL'), PATIENCE_MS).unref();
  };

  constructor() {
    process.on('SIGINT', this.#onSignal);
    process.on('SIGTERM', this.#onSignal);
  }

  get signal(): AbortSignal {
    return this.#stop.signal;
  }

  close(): void {
    process.off('SIGINT', this.#onSignal);
    process.off('SIGTERM', this.#onSignal);
  }
}
