import { ExitCode } from '../core/errors.ts';

/** Ctrl-C and SIGTERM: the first asks to complete what has been read, the second ends the process at once. */
export class Interruption {
  readonly #stop = new AbortController();
  readonly #onSignal = () => {
    if (this.#stop.signal.aborted) process.exit(ExitCode.interrupted);
    this.#stop.abort();
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
