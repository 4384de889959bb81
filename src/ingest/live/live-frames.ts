import { Observable, Subject } from 'rxjs';
import { FramePool } from '../../core/frame-pool.ts';
import { type FrameSlot, type PictureFormat, planeLayout, RawFrame, type VeilReason } from '../../core/video-frame.ts';
import { LiveClock } from './live-clock.ts';
import { RateGovernor } from './rate-governor.ts';

/** Mid-grey planes: what a frame holds that exists only to be veiled. */
const BLANK = 128;
/** Pictures that may wait while the stages keep up, for a moment in which something else has the processor. */
const MOST_WAITING = 2;
/** Frames that may be composed and wait for an output, beside those in the stages. */
const SEALED_FRAMES = 4;
/** For how long after a picture was overtaken only one may wait: a queue that stays full is nothing but age. */
const BEHIND_MS = 5000;

interface Waiting {
  readonly slot: FrameSlot;
  readonly timestampUs: number;
  damaged: boolean;
  readonly reason: VeilReason;
  readonly decodeMs?: number;
}

export interface LiveCounts {
  /** Pictures decoded. */
  received: number;
  /** Pictures that the pipeline was too slow for: overtaken by a newer one, or left out because the rate was lowered. */
  dropped: number;
  /** Of these, those left out to lower the rate. */
  thinned: number;
  /** Frames without a picture, sent on to be veiled while there is none. */
  blank: number;
}

/**
 * Between a live decoder and the pipeline. At most `inFlight` frames are with the pipeline and one waits (two where none was overtaken
 * lately), which a newer one replaces: latency cannot grow however slow the stages are, and a decoder never has to wait.
 */
export class LiveFrames {
  readonly format: PictureFormat;
  readonly counts: LiveCounts = { received: 0, dropped: 0, thinned: 0, blank: 0 };
  readonly frames: Observable<RawFrame>;
  readonly #out = new Subject<RawFrame>();
  readonly #pool: FramePool;
  readonly #inFlight: number;
  readonly #clock = new LiveClock();
  readonly #governor = new RateGovernor();
  readonly #recent: RawFrame[] = [];
  #taken = 0;
  readonly #waiting: Waiting[] = [];
  #overtakenMs = Number.NEGATIVE_INFINITY;
  #sequence = 0;
  #cut: VeilReason | undefined;
  #ending = false;
  #ended = false;

  constructor(format: PictureFormat, inFlight: number) {
    this.format = format;
    this.#inFlight = inFlight;
    // One more is being decoded into, and some wait.
    this.#pool = new FramePool(planeLayout(format.width, format.height).byteLength, inFlight + 1 + MOST_WAITING);
    this.frames = new Observable((subscriber) => {
      const subscription = this.#out.subscribe(subscriber);
      return () => {
        subscription.unsubscribe();
        this.#dropWaiting();
      };
    });
  }

  /** Now on the clock of the frames' time stamps. */
  get elapsedUs(): number {
    return this.#clock.elapsed(performance.now() * 1000);
  }

  /** The frames' time for a time of the source, for sound: undefined when there is no picture to be in sync with. */
  timeOf(sourceUs: number): number | undefined {
    return this.#clock.place(sourceUs, performance.now() * 1000);
  }

  /** A slot to decode the next picture into; undefined only while another one is being decoded into. */
  tryTakeSlot(): FrameSlot | undefined {
    return this.#pool.tryAcquire();
  }

  /**
   * Hands a decoded picture on, or lets it replace the one that waits.
   * @param sourceUs the source's own clock
   * @param arrivedMs when its last packet came, by `performance.now()`, where that is known: what decoding takes is part of a
   * frame's age. Others may bring the first pictures faster than they were taken.
   */
  offer(slot: FrameSlot, sourceUs: number, damaged: boolean, arrivedMs?: number): void {
    this.counts.received++;
    const steady = arrivedMs !== undefined;
    const { jumps } = this.#clock;
    const timestampUs = this.#clock.map(sourceUs, (arrivedMs ?? performance.now()) * 1000, steady);
    const cut = this.#cut ?? (this.#clock.jumps > jumps ? 'clock-jump' : undefined);
    this.#cut = undefined;
    if (cut || this.#governor.take(performance.now())) {
      this.#offer({
        slot,
        timestampUs,
        damaged: damaged || cut !== undefined,
        reason: damaged ? 'damaged' : (cut ?? 'damaged'),
        ...(arrivedMs !== undefined && { decodeMs: performance.now() - arrivedMs }),
      });
      return;
    }
    this.counts.dropped++;
    this.counts.thinned++;
    slot.release();
  }

  /** Pictures a second that are taken at the most; infinite while the stages keep up. */
  get limitFps(): number {
    return this.#governor.limitFps;
  }

  /**
   * Sends on a frame without a picture, marked damaged so that the whole of it is veiled.
   * @param reason why there is none
   * @returns false when all memory is with frames on their way
   */
  offerBlank(reason: VeilReason = 'source-lost'): boolean {
    const slot = this.#pool.tryAcquire();
    if (!slot) return false;
    new Uint8Array(slot.memory).fill(BLANK);
    this.counts.blank++;
    this.#offer({ slot, timestampUs: this.#clock.now(performance.now() * 1000), damaged: true, reason });
    return true;
  }

  /** Nobody knows what has been left out before the next picture: it is veiled. So is the one after a jump of the source's clock. */
  cutBeforeNext(): void {
    this.#cut = 'source-lost';
  }

  /** Frames already handed on may be wrong: marked before the compositor looks at them. */
  markRecentDamaged(): void {
    for (const frame of this.#recent) frame.damaged = true;
    for (const picture of this.#waiting) picture.damaged = true;
  }

  end(error?: unknown): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#dropWaiting();
    if (error === undefined) this.#out.complete();
    else this.#out.error(error);
  }

  /** Ends with a veiled frame, so that nobody is left looking at the last picture. */
  endVeiled(): void {
    if (this.#ended || this.#ending) return;
    this.#dropWaiting();
    if (!this.#out.observed) {
      this.end();
      return;
    }
    this.#ending = true;
    const slot = this.#pool.tryAcquire();
    if (slot) this.#veilLast(slot);
    // All memory is with frames on their way: the last picture would stay where it is if this one did not wait for them.
    else void this.#pool.acquire().then((free) => this.#veilLast(free));
  }

  #veilLast(slot: FrameSlot): void {
    if (this.#ended) {
      slot.release();
      return;
    }
    new Uint8Array(slot.memory).fill(BLANK);
    const timestampUs = this.#clock.now(performance.now() * 1000);
    this.#waiting.push({ slot, timestampUs, damaged: true, reason: 'source-lost' });
    this.#next();
  }

  #offer(picture: Waiting): void {
    if (this.#ended || this.#ending || !this.#out.observed) {
      picture.slot.release();
      return;
    }
    this.#waiting.push(picture);
    this.#next();
    const behind = performance.now() - this.#overtakenMs < BEHIND_MS;
    if (this.#waiting.length <= (behind ? 1 : MOST_WAITING)) return;
    // Of two that wait the newer one stays.
    while (this.#waiting.length > 1) {
      this.#waiting.shift()!.slot.release();
      this.counts.dropped++;
      this.#governor.overtaken();
    }
    this.#overtakenMs = performance.now();
  }

  #next(): void {
    if (this.#taken >= this.#inFlight) return;
    const next = this.#waiting.shift();
    if (!next) return;
    const { slot, timestampUs, damaged, reason, decodeMs } = next;
    this.#taken++;
    let held = true;
    const release = () => {
      if (!held) return;
      held = false;
      slot.release();
      this.#taken--;
      this.#next();
    };
    const counted = { index: slot.index, memory: slot.memory, release };
    const frame = new RawFrame({ sequence: this.#sequence++, timestampUs, format: this.format }, counted);
    frame.damaged = damaged;
    if (damaged) frame.reason = reason;
    frame.decodeMs = decodeMs;
    this.#recent.push(frame);
    if (this.#recent.length > this.#inFlight + SEALED_FRAMES) this.#recent.shift();
    this.#out.next(frame);
    if (this.#ending) this.end();
  }

  #dropWaiting(): void {
    for (const { slot } of this.#waiting.splice(0)) slot.release();
  }
}
