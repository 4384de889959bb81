/** Overloaded looks in a row until detail is left out: one alone may be a start, or a moment of something else. */
const LOOKS_BEFORE = 2;
/** Looks at ease after which it is tried again; doubled each time it has to be left out once more. */
const LOOKS_AFTER = 6;
const MOST_LOOKS_AFTER = 96;

/**
 * Whether large faces are drawn in detail on a machine that cannot keep up: fewer pictures a second disturb more than softer
 * faces do, and detail takes a fifth of what a large face costs.
 */
export class DetailUnderLoad {
  wanted = true;
  #overloaded = 0;
  #atEase = 0;
  #patience = LOOKS_AFTER;

  /** @param overloaded whether pictures were left out since the last look @returns whether it has changed */
  look(overloaded: boolean): boolean {
    this.#overloaded = overloaded ? this.#overloaded + 1 : 0;
    this.#atEase = overloaded ? 0 : this.#atEase + 1;
    if (this.wanted && this.#overloaded >= LOOKS_BEFORE) {
      this.wanted = false;
      return true;
    }
    if (this.wanted || this.#atEase < this.#patience) return false;
    this.wanted = true;
    this.#patience = Math.min(MOST_LOOKS_AFTER, 2 * this.#patience);
    return true;
  }
}
