/** A source whose clock is this far from the expected time has jumped, been restarted or drifted. */
const MAX_OFFSET_US = 1_000_000;
/** Pictures and sound of one source may come apart by this much. */
const MAX_SOUND_OFFSET_US = 2_500_000;

/**
 * Time stamps for the pipeline: the source's own spacing on one clock that never jumps or runs backwards, whatever
 * reconnects and clock jumps of the source do. Starts at 0 with the first frame; all in microseconds.
 */
export class LiveClock {
  #startUs: number | undefined;
  #offsetUs: number | undefined;
  /** By how much the earliest frame of a source was ahead of the first one. */
  #aheadUs = 0;
  #lastUs = -1;
  /** How often the source's clock has jumped so far. */
  jumps = 0;

  /**
   * @param steady the source sends at its own speed and never ahead of it: a frame that seems to be of the future shows that the
   * ones before came late, and that their age, by which sound is held back, was taken for too small
   */
  map(sourceUs: number, nowUs: number, steady = false): number {
    this.#startUs ??= nowUs;
    const elapsedUs = this.elapsed(nowUs);
    if (this.#offsetUs === undefined || Math.abs(sourceUs + this.#offsetUs - elapsedUs) > MAX_OFFSET_US) {
      if (this.#offsetUs !== undefined) this.jumps++;
      this.#offsetUs = elapsedUs - sourceUs;
    }
    if (steady) this.#offsetUs = Math.min(this.#offsetUs, elapsedUs - sourceUs);
    // Others keep their spacing, and this clock's now moves instead: no frame is taken for younger than one that has just come.
    else this.#aheadUs += Math.max(0, sourceUs + this.#offsetUs - elapsedUs);
    return this.#advance(sourceUs + this.#offsetUs);
  }

  /** The time of a sound, without giving one out; undefined when it is nowhere near now, or no picture has come yet. */
  place(sourceUs: number, nowUs: number): number | undefined {
    if (this.#offsetUs === undefined) return undefined;
    const timestampUs = Math.round(sourceUs + this.#offsetUs);
    return timestampUs < 0 || Math.abs(timestampUs - this.elapsed(nowUs)) > MAX_SOUND_OFFSET_US
      ? undefined
      : timestampUs;
  }

  /** For frames that have no time of their own. */
  now(nowUs: number): number {
    this.#startUs ??= nowUs;
    return this.#advance(this.elapsed(nowUs));
  }

  /** Now on this clock, without giving a time stamp out. */
  elapsed(nowUs: number): number {
    return nowUs - (this.#startUs ?? nowUs) + this.#aheadUs;
  }

  #advance(timestampUs: number): number {
    this.#lastUs = Math.max(Math.round(timestampUs), this.#lastUs + 1);
    return this.#lastUs;
  }
}
