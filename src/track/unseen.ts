/** Microseconds of damaged frames after which somebody may have come in: shorter ones are packets lost here and there, and each look everywhere costs as much as ten frames. */
const DAMAGED_US = 500_000;
/** As much without any frame; pictures at one a second are a rate that cameras have at night. */
const GAP_US = 1_000_000;

/**
 * Notices that nobody has looked for a while: a reconnect, damaged pictures, a gap in the time stamps. The room may be the same, so that no cut is
 * seen, but people have walked in meanwhile.
 */
export class UnseenTime {
  readonly #live: boolean;
  /** Time stamp of the last sound frame that was looked at. */
  #seenUs: number | undefined;
  #damaged = false;
  #wasGap = false;

  /** @param live a look everywhere may itself be what the next frame waits for: a gap then does not lead to two in a row */
  constructor(live: boolean) {
    this.#live = live;
  }

  /** Whether this sound frame has to be looked at everywhere. Asked again after a look that failed, it says the same. */
  before(timestampUs: number): boolean {
    if (this.#seenUs === undefined) return true;
    const us = timestampUs - this.#seenUs;
    if (this.#damaged && us >= DAMAGED_US) return true;
    return us > GAP_US && !(this.#live && this.#wasGap);
  }

  /** A frame was looked at. */
  looked(timestampUs: number, damaged: boolean): void {
    if (damaged) {
      this.#damaged = true;
      return;
    }
    this.#wasGap = !this.#damaged && this.#seenUs !== undefined && this.before(timestampUs);
    this.#seenUs = timestampUs;
    this.#damaged = false;
  }
}
