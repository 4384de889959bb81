import { tellsDamage } from '../decoder-lines.ts';

/** RTP over UDP. */
const PACKETS_LOST = /\[warning\].*(missed \d+ packets|max delay)/i;

/** ffmpeg's `-loglevel level+info` lines, read for two things: what went wrong, and which pictures are key pictures. */
export class DecoderLog {
  /** Errors so far. */
  errors = 0;
  #damaged = false;
  /** The first key picture reported after the last error, microseconds on the decoder's clock. */
  #soundFromUs: number | undefined;
  readonly #onError: () => void;
  readonly #onResize: (() => void) | undefined;
  #size: string | undefined;
  /** Pictures of another size have come: nothing of this decoder may be shown any more. */
  resized = false;

  /**
   * @param onResize given when the decoder does not fit pictures of another size into a canvas: it squeezes them, no
   * detector finds a squeezed face, and from then on all pictures are damaged
   */
  constructor(onError: () => void, onResize?: () => void) {
    this.#onError = onError;
    this.#onResize = onResize;
  }

  line(text: string): void {
    if (this.#onResize && !this.resized) this.#watchSize(text);
    const key = /showinfo.*pts_time:\s*([-\d.]+).*iskey:\s*1/.exec(text);
    if (key) {
      if (this.#damaged) this.#soundFromUs ??= Number(key[1]) * 1e6 - 500;
      return;
    }
    if (!tellsDamage(text) && !PACKETS_LOST.test(text)) return;
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
    if (this.resized) return true;
    if (!this.#damaged) return false;
    if (this.#soundFromUs === undefined || timestampUs < this.#soundFromUs) return true;
    this.#damaged = false;
    return false;
  }

  /** showinfo tells of a picture before it is scaled, and before the picture itself is written. */
  #watchSize(text: string): void {
    const size = /showinfo.*\bn:\s*\d+ .*\bs:(\d+x\d+)/.exec(text)?.[1];
    if (!size) return;
    this.#size ??= size;
    if (size === this.#size) return;
    this.resized = true;
    this.#onError();
    this.#onResize?.();
  }
}
