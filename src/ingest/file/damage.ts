import type { KeyFrame } from './key-frames.ts';

/** Pictures that a decoder may be ahead of the one it hands out: its threads and the reordering. */
const DECODER_AHEAD = 24;
/** A container that breaks off, told by the demuxer: what came before it is whole. */
const BROKEN_OFF = /partial file|ended prematurely|truncat/i;
/** Parsers and demuxers complain of a packet that has not been decoded yet; the decoder's complaints may come late. */
const AHEAD = /^\[NULL @|\bpacket corrupt\b/i;
/** A transport stream tells of what, in 1/90000 s, and while the file is being opened it may be the only one to tell. */
const PACKET_TIME = /\[mpegts @.*\bpacket corrupt\b.*\bdts = (\d+)/i;
/** Its clock has 33 bits; ffmpeg goes on counting, or begins below zero. */
const WRAP_US = (2 ** 33 * 100) / 9;
const SHORT_LOOKBACK = 2;
/** Lines that belong together come in any order within this time. */
const GATHER_MS = 20;

interface Damageable {
  readonly timestampUs: number;
  damaged: boolean;
}

/**
 * Which pictures of a recording may be wrong. ffmpeg marks none and only says that something was: everything from the
 * look-back to the next key picture counts as damaged, and everything to the end when no key picture is known.
 */
export class DamageWatch<F extends Damageable> {
  readonly #lookback: number;
  readonly #frameUs: number;
  readonly #keyFrames: (fromUs: number) => Promise<readonly KeyFrame[]>;
  readonly #recent: F[] = [];
  #lines: string[] = [];
  #gathered: Promise<void> | undefined;
  #known: readonly KeyFrame[] | undefined;
  /** Reported since the last picture: times of packets, and undefined for what is being decoded now. */
  readonly #reported = new Set<number | undefined>();
  #wrong: { readonly fromUs: number; readonly untilUs: number }[] = [];
  errors = 0;
  /** The file ends before its own end. */
  brokenOff = false;

  /** @param keyFrames all key pictures from a time on, ascending; asked for at most once */
  constructor(lookback: number, frameRate: number, keyFrames: (fromUs: number) => Promise<readonly KeyFrame[]>) {
    this.#lookback = lookback;
    this.#frameUs = 1e6 / frameRate;
    this.#keyFrames = keyFrames;
  }

  /** A line of the decoder's complaints. */
  report(line: string): void {
    this.errors++;
    this.#lines.push(line);
    this.#gathered ??= new Promise((resolve) => {
      setTimeout(() => {
        this.#take();
        resolve();
      }, GATHER_MS);
    });
  }

  /** Looks at a picture before it is handed on. */
  async judge(frame: F): Promise<void> {
    await this.#gathered;
    const { timestampUs } = frame;
    while (this.#reported.size > 0) {
      const reported = [...this.#reported];
      this.#reported.clear();
      this.#known ??= await this.#keyFrames(timestampUs);
      for (const packetUs of reported) this.#add(timestampUs, packetUs);
    }
    this.#wrong = this.#wrong.filter(({ untilUs }) => timestampUs < untilUs);
    if (this.#wrong.some(({ fromUs }) => timestampUs >= fromUs)) frame.damaged = true;
    this.#recent.push(frame);
    if (this.#recent.length > this.#lookback) this.#recent.shift();
  }

  /** The decoder has ended. What a broken-off file ends in is not to be trusted, also when the decoder took it. */
  ended(): void {
    this.#take();
    if (this.brokenOff) for (const frame of this.#recent.slice(-SHORT_LOOKBACK)) frame.damaged = true;
  }

  #add(nowUs: number, packetUs: number | undefined): void {
    const atUs = packetUs === undefined ? nowUs : packetUs + WRAP_US * Math.round((nowUs - packetUs) / WRAP_US);
    const after = atUs + DECODER_AHEAD * this.#frameUs;
    const untilUs = this.#known?.find((key) => key.healsUs >= after)?.us ?? Number.POSITIVE_INFINITY;
    // A picture is never shown before its packet's time.
    const fromUs = packetUs === undefined ? Number.NEGATIVE_INFINITY : atUs - this.#frameUs;
    this.#wrong.push({ fromUs, untilUs });
  }

  #take(): void {
    const lines = this.#lines;
    this.#lines = [];
    this.#gathered = undefined;
    if (lines.length === 0) return;
    this.brokenOff ||= lines.some((line) => BROKEN_OFF.test(line));
    const ahead = lines.every((line) => AHEAD.test(line) || BROKEN_OFF.test(line));
    for (const line of lines) {
      const ticks = PACKET_TIME.exec(line)?.[1];
      if (ticks) this.#reported.add((Number(ticks) * 100) / 9);
    }
    // Said while the file is being opened, of a place further on: the decoder will say so again when it gets there.
    if (ahead && this.#recent.length === 0) return;
    this.#reported.add(undefined);
    const near = ahead || this.brokenOff ? this.#recent.slice(-SHORT_LOOKBACK) : this.#recent;
    for (const frame of near) frame.damaged = true;
  }
}
