import { ExitCode } from '../core/errors.ts';
import { discardUnfinished } from '../egress/file/encoded-file.ts';

/** A native call that does not come back within this time is not waited for. */
const PATIENCE_MS = 5000;

/**
 * Drops the files being written and ends, once no thread is inside a native call: to exit before would abort the process, and what it
 * dumps then holds pictures of the camera.
 */
export function endInterrupted(engine: Promise<{ close(): Promise<void> }>): void {
  discardUnfinished();
  setTimeout(() => process.kill(process.pid, 'SIGKILL'), PATIENCE_MS).unref();
  const closed = engine.then((one) => one.close());
  void closed.catch(() => {}).then(() => process.exit(ExitCode.interrupted));
}

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
