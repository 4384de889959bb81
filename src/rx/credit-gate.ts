/** A counted set of numbered credits. `take` waits while all are out, first come first served: bounded and lossless. */
export class CreditGate {
  readonly #free: number[];
  readonly #waiting: ((credit: number) => void)[] = [];

  constructor(credits: number) {
    this.#free = Array.from({ length: credits }, (_, i) => credits - 1 - i);
  }

  get available(): number {
    return this.#free.length;
  }

  take(): Promise<number> {
    const credit = this.#free.pop();
    if (credit !== undefined) return Promise.resolve(credit);
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  tryTake(): number | undefined {
    return this.#free.pop();
  }

  give(credit: number): void {
    const next = this.#waiting.shift();
    if (next) next(credit);
    else this.#free.push(credit);
  }
}
