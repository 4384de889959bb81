/** How long the stages are looked at before the rate is changed; overloaded for ten seconds before it is lowered. */
const WINDOW_MS = 2500;
const WINDOWS_BEFORE_LOWER = 4;
/** Share of the pictures taken that a newer one has overtaken, from which the stages are too slow, and below which they have time left. */
const TOO_SLOW = 0.1;
const AT_EASE = 0.02;
/** Of what the stages managed: a little less, so that pictures do not wait for one another. */
const LOWER_TO = 0.9;
/** From one picture a second to thirty within half a minute. */
const RAISE_BY = 1.4;
const LEAST_FPS = 1;

/**
 * Lowers the rate at which pictures are taken while the stages cannot keep up with it, and raises it again when they can: what is left
 * over is time for the coders, and pictures come at even distances and do not age in a queue.
 */
export class RateGovernor {
  /** Pictures a second that are taken; infinite: all. */
  limitFps = Number.POSITIVE_INFINITY;
  #startedMs: number | undefined;
  #nextDueMs = Number.NEGATIVE_INFINITY;
  #lastMs: number | undefined;
  #arrived = 0;
  #taken = 0;
  #overtaken = 0;
  #slowWindows = 0;

  /** Whether the picture that arrives now is taken. */
  take(nowMs: number): boolean {
    this.#look(nowMs);
    this.#arrived++;
    const spacingMs = nowMs - (this.#lastMs ?? nowMs);
    this.#lastMs = nowMs;
    // The nearest picture to the time that is due, not the first one after it.
    if (nowMs + spacingMs / 2 < this.#nextDueMs) return false;
    this.#nextDueMs = Math.max(this.#nextDueMs, nowMs - spacingMs / 2) + 1000 / this.limitFps;
    this.#taken++;
    return true;
  }

  /** One that was taken has been replaced by a newer one. */
  overtaken(): void {
    this.#overtaken++;
  }

  #look(nowMs: number): void {
    this.#startedMs ??= nowMs;
    const ms = nowMs - this.#startedMs;
    if (ms < WINDOW_MS) return;
    const slow = this.#taken > 0 && this.#overtaken / this.#taken > TOO_SLOW;
    this.#slowWindows = slow ? this.#slowWindows + 1 : 0;
    // A source that has paused says nothing about the stages.
    if (ms < 2 * WINDOW_MS) this.#decide(ms / 1000);
    this.#startedMs = nowMs;
    [this.#arrived, this.#taken, this.#overtaken] = [0, 0, 0];
  }

  #decide(seconds: number): void {
    if (this.#slowWindows >= WINDOWS_BEFORE_LOWER) {
      this.limitFps = Math.max(LEAST_FPS, (LOWER_TO * (this.#taken - this.#overtaken)) / seconds);
      this.#slowWindows = 0;
    } else if (this.#overtaken <= AT_EASE * this.#taken) {
      this.limitFps *= RAISE_BY;
      if (this.limitFps >= this.#arrived / seconds) this.limitFps = Number.POSITIVE_INFINITY;
    }
  }
}
