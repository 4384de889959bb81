import { Observable, type OperatorFunction } from 'rxjs';

/**
 * Holds back `length` values, so that what is learnt from a later frame can still change an earlier one: a held value is
 * a mutable object that `window()` hands out until it is emitted. Everything held is emitted when the source ends or fails.
 */
export class LookAhead<T> {
  readonly #held: T[] = [];
  readonly #length: number;

  constructor(length: number) {
    this.#length = length;
  }

  /** Values not emitted yet, oldest first. */
  get window(): readonly T[] {
    return this.#held;
  }

  operator(discard?: (value: T) => void): OperatorFunction<T, T> {
    return (source) =>
      new Observable<T>((subscriber) => {
        const flush = () => {
          for (let value = this.#held.shift(); value !== undefined; value = this.#held.shift()) subscriber.next(value);
        };
        const subscription = source.subscribe({
          next: (value) => {
            this.#held.push(value);
            while (this.#held.length > this.#length) subscriber.next(this.#held.shift() as T);
          },
          error: (error) => {
            flush();
            subscriber.error(error);
          },
          complete: () => {
            flush();
            subscriber.complete();
          },
        });
        return () => {
          subscription.unsubscribe();
          for (const value of this.#held.splice(0)) discard?.(value);
        };
      });
  }
}
