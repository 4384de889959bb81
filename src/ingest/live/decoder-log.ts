/** ffmpeg's `-loglevel level+info` lines, read for two things: what went wrong, and which pictures are key pictures. */
export class DecoderLog {
  /** Errors so far. */
  errors = 0;
  #damaged = false;
  /** The first key picture reported after the last error, microseconds on the decoder's clock. */
  #soundFromUs: number | undefined;
  readonly #onError: () => void;

  constructor(onError: () => void) {
    this.#onError = onError;
  }

  line(text: string): void {
    const key = /showinfo.*pts_time:\s*([-\d.]+).*iskey:\s*1/.exec(text);
    if (key) {
      if (this.#damaged) this.#soundFromUs ??= Number(key[1]) * 1e6 - 500;
      return;
    }
    const bad =
      /\[(error|fatal|panic)\]/.test(text) || /\[warning\].*(missed \d+ packets|max delay|corrupt|conceal)/i.test(text);
    if (!bad) return;
    this.errors++;
    this.#damaged = true;
    this.#soundFromUs = undefined;
    this.#onError();
  }

  /**
   * Whether a picture may be wrong. Nothing in ffmpeg's output marks one: after any error all are, until a key picture
   * that was decoded after it.
   */
  isDamaged(timestampUs: number): boolean {
    if (!this.#damaged) return false;
    if (this.#soundFromUs === undefined || timestampUs < this.#soundFromUs) return true;
    this.#damaged = false;
    return false;
  }
}
