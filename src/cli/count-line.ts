const EVERY_MS = 500;

/** "measured 12 of 102, 34 s left" on a terminal, silence elsewhere unless asked for. */
export class CountLine {
  readonly #shown: boolean;
  readonly #verb: string;
  readonly #total: number;
  readonly #startedMs = performance.now();
  #lastMs = 0;
  #done = 0;

  constructor(style: string | undefined, verb: string, total: number) {
    this.#shown = style === 'line' || (style !== 'none' && process.stderr.isTTY);
    this.#verb = verb;
    this.#total = total;
  }

  at(done: number): void {
    this.#done = done;
    const now = performance.now();
    if (!this.#shown || now - this.#lastMs < EVERY_MS) return;
    this.#lastMs = now;
    this.#write('\r');
  }

  end(): void {
    if (this.#shown) this.#write('\n');
  }

  #write(end: string): void {
    const seconds = (performance.now() - this.#startedMs) / 1000;
    const left = this.#done > 0 ? Math.ceil((seconds / this.#done) * (this.#total - this.#done)) : undefined;
    const rest = left === undefined ? '' : `, ${left} s left`;
    process.stderr.write(`${this.#verb} ${this.#done} of ${this.#total}${rest}   ${end}`);
  }
}
