/** Of whoever is covered without being followed: nobody is drawn under it. */
export const NOBODY = 0;

/**
 * Numbers the persons of one stream. No number is given twice: who somebody becomes, and which understudy was found fit for him, hangs on it. A
 * stream without an end goes on in a range that no other one has.
 */
export class PersonNumbers {
  readonly #count: number;
  readonly #further: (() => number) | undefined;
  #next: number;
  #left: number;

  /** @param first of the first range of so many @param further takes another range and says its first number */
  constructor(first: number, count: number, further: (() => number) | undefined) {
    this.#next = first;
    this.#count = count;
    this.#left = count;
    this.#further = further;
  }

  take(): number {
    if (this.#left === 0 && this.#further) {
      this.#next = this.#further();
      this.#left = this.#count;
    }
    this.#left--;
    return this.#next++;
  }
}
