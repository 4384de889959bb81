import { tellsDamage } from '../decoder-lines.ts';

/** RTP over UDP; a camera's driver. */
const PACKETS_LOST = /\[warning\].*(missed \d+ packets|max delay|contains corrupted data)/i;
/** Decoders that hand out each picture before they take the next one. */
const IN_ORDER = /^\[(mjpeg|vp[89]) @/;
/** Pictures that the others may still hand out before the one that is complained of. */
const MAX_REORDERED = 16;

/** ffmpeg's `-loglevel level+info` lines, read for two things: what went wrong, and which pictures are key pictures. */
export class DecoderLog {
  /** Errors so far. */
  errors = 0;
  #damaged = false;
  /** The first whole key picture reported after the last error, microseconds on the decoder's clock. */
  #soundFromUs: number | undefined;
  /** Pictures of which one may be the one that the last error was about: it is reported after its error. */
  #doubtful = 0;
  readonly #inOrder: boolean;
  readonly #onError: () => void;
  readonly #onResize: (() => void) | undefined;
  #size: string | undefined;
  /** Pictures of another size have come: nothing of this decoder may be shown any more. */
  resized = false;

  /**
   * @param onResize given when the decoder does not fit pictures of another size into a canvas: it squeezes them, no
   * detector finds a squeezed face, and from then on all pictures are damaged
   * @param inOrder pictures are shown in the order in which they are coded
   */
  constructor(onError: () => void, onResize?: () => void, inOrder = false) {
    this.#onError = onError;
    this.#onResize = onResize;
    this.#inOrder = inOrder;
  }

  /** Nothing that comes may be shown before another key picture comes. */
  get needsKey(): boolean {
    return this.#damaged && this.#soundFromUs === undefined;
  }

  line(text: string): void {
    if (this.#onResize && !this.resized) this.#watchSize(text);
    const picture = /showinfo.*pts_time:\s*([-\d.]+).*iskey:\s*([01])/.exec(text);
    if (picture) {
      if (this.#damaged) this.#picture(Number(picture[1]) * 1e6, picture[2] === '1');
      return;
    }
    if (!tellsDamage(text) && !PACKETS_LOST.test(text)) return;
    this.errors++;
    this.#damaged = true;
    this.#soundFromUs = undefined;
    this.#doubtful = this.#inOrder || IN_ORDER.test(text) ? 1 : 1 + MAX_REORDERED;
    this.#onError();
  }

  #picture(timestampUs: number, key: boolean): void {
    if (this.#doubtful > 0) this.#doubtful--;
    else if (key) this.#soundFromUs ??= timestampUs - 500;
  }

  /**
   * Whether a picture may be wrong. Nothing in ffmpeg's output marks one: after any error all are, until a key picture
   * that was decoded after it and is not the one with the error.
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
