import { BroadcastChannel } from 'node:worker_threads';
import type { Detection } from '../core/face-track.ts';
import type { DetectorWindow, FaceFinder, Picture } from '../core/vision.ts';
import type { LookMessage, LookReply } from './detector-messages.ts';

/** A helper that has not answered for this long after all windows were taken is left out until it says something. */
const PATIENCE_MS = 500;

/**
 * A detector whose windows are looked at in several threads at once: here, and in those that listen on a channel (`detector-worker`).
 * Nothing depends on them: what no helper tells of in time is looked at here, so that every window is looked at or the look fails.
 */
export class SharedDetector implements FaceFinder {
  readonly #own: FaceFinder;
  readonly #channel: BroadcastChannel;
  readonly #helpers = new Set<string>();
  /** Begins anywhere: a helper that is late may still answer a look of an analysis that has died since, or hangs. */
  #id = Math.floor(Math.random() * 2 ** 48);
  #awaited: { readonly id: number; readonly of: Set<string>; readonly take: (reply: LookReply) => void } | undefined;

  /** @param own this thread's detector @param channel the name that the helpers were given */
  constructor(own: FaceFinder, channel: string) {
    this.#own = own;
    this.#channel = new BroadcastChannel(channel);
    this.#channel.onmessage = (event) => this.#heard((event as { data: LookMessage }).data);
    this.#channel.unref();
    this.#channel.postMessage({ kind: 'who' } satisfies LookMessage);
  }

  /** How many others look. */
  get helpers(): number {
    return this.#helpers.size;
  }

  detect(picture: Picture, window: DetectorWindow, minScore: number): Promise<Detection[]> {
    return this.#own.detect(picture, window, minScore);
  }

  /** @returns of each window what `detect` finds there. @throws what `detect` throws */
  async detectAll(picture: Picture, windows: readonly DetectorWindow[], minScore: number): Promise<Detection[][]> {
    const { planes, format } = picture;
    const shared = planes.buffer instanceof SharedArrayBuffer && planes.byteOffset === 0 ? planes.buffer : undefined;
    const found: (Detection[] | undefined)[] = Array(windows.length).fill(undefined);
    if (shared && windows.length > 1 && this.#helpers.size > 0) {
      const next = new SharedArrayBuffer(4);
      const id = ++this.#id;
      const answered = this.#answers(id, found);
      this.#channel.postMessage({
        kind: 'look',
        id,
        planes: shared,
        format,
        windows,
        minScore,
        next,
      } satisfies LookMessage);
      try {
        const counter = new Int32Array(next);
        for (let i = Atomics.add(counter, 0, 1); i < windows.length; i = Atomics.add(counter, 0, 1))
          found[i] = await this.#own.detect(picture, windows[i]!, minScore);
        await this.#patiently(answered);
      } finally {
        this.#awaited = undefined;
        // Nobody takes another window of a look that has failed.
        Atomics.store(new Int32Array(next), 0, windows.length);
      }
    }
    const all: Detection[][] = [];
    for (const [i, window] of windows.entries())
      all.push(found[i] ?? (await this.#own.detect(picture, window, minScore)));
    return all;
  }

  close(): void {
    this.#channel.close();
  }

  /** Resolves when every helper there is has answered. */
  #answers(id: number, found: (Detection[] | undefined)[]): Promise<void> {
    const of = new Set(this.#helpers);
    return new Promise((resolve) => {
      const take = (reply: LookReply) => {
        for (const [i, detections] of reply.found) found[i] = detections;
        of.delete(reply.from);
        if (of.size === 0) resolve();
      };
      this.#awaited = { id, of, take };
    });
  }

  async #patiently(answered: Promise<void>): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<'late'>((resolve) => {
      timer = setTimeout(() => resolve('late'), PATIENCE_MS);
    });
    const outcome = await Promise.race([answered, late]);
    clearTimeout(timer);
    if (outcome === 'late') for (const helper of this.#awaited!.of) this.#helpers.delete(helper);
  }

  #heard(message: LookMessage): void {
    if (message.kind !== 'here' && message.kind !== 'looked') return;
    this.#helpers.add(message.from);
    // An answer to a look that was given up is of a picture whose memory holds another one by now.
    if (message.kind === 'looked' && message.id === this.#awaited?.id) this.#awaited.take(message);
  }
}
