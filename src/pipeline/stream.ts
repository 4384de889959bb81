import { count, lastValueFrom, Subject, takeUntil, tap } from 'rxjs';
import type { TrackedFace } from '../core/face-track.ts';
import { FramePool } from '../core/frame-pool.ts';
import { planeLayout, type RawFrame, type SealedFrame } from '../core/video-frame.ts';
import { AuditRecord } from '../guard/audit-record.ts';
import { stepDown } from '../guard/ladder.ts';
import { endOnError } from '../rx/end-on-error.ts';
import { LookAhead } from '../rx/look-ahead.ts';
import { orderedMap } from '../rx/ordered-map.ts';
import { LingeringCovers } from '../track/lingering.ts';
import type { Engine } from './engine.ts';
import { withinSlots } from './face-slots.ts';
import type { FrameJob } from './frame-job.ts';
import { searchBack } from './search-back.ts';
import { StageTimings } from './stage-timings.ts';
import type { StreamOptions, StreamResult } from './stream-options.ts';

/** Sealed frames under way between compositor and encoder. */
const SEALED_SLOTS = 4;
/** Frames whose faces may be with the generator at once, so that it is busy while earlier ones are composed. */
const GENERATING_FRAMES = 3;

/** A composed frame, until an output takes it: its picture may turn out to be damaged even now. */
interface Sealed {
  readonly frame: SealedFrame;
  readonly job: FrameJob;
  readonly covers: Parameters<AuditRecord['frame']>[2];
}

/** How much larger than it was seen a face is covered that only an earlier life of the analysis knew. */
const FORGOTTEN_GROWTH = 1.3;

/** FaceTracks of a live stream that the audit record keeps; its totals count all. */
const LIVE_TRACKS_KEPT = 512;

/** Runs one source through all stages into one sink and completes it. Rejects only when the output cannot be completed. */
export async function runStream(engine: Engine, options: StreamOptions): Promise<StreamResult> {
  return new StreamRun(engine, options).run();
}

class StreamRun {
  readonly #engine: Engine;
  readonly #options: StreamOptions;
  readonly #streamId: number;
  readonly #audit: AuditRecord;
  readonly #timings: StageTimings;
  readonly #ahead: LookAhead<FrameJob>;
  readonly #sealed: FramePool;
  /** For a veil in the place of a frame that was composed: all others may be taken by frames that wait for this one. */
  #spare: FramePool | undefined;
  readonly #startedMs = performance.now();
  #firstFrameMs: number | undefined;
  #lastArrivalMs = performance.now();
  #sourceError: unknown;
  /** Which life of the analysis looked at the last picture, and its faces: the next life knows nothing of them. */
  #life: number | undefined;
  #lastFaces: readonly TrackedFace[] = [];
  readonly #forgotten = new LingeringCovers(true);

  constructor(engine: Engine, options: StreamOptions) {
    this.#engine = engine;
    this.#options = options;
    this.#streamId = options.streamId ?? 0;
    // A stream without an end would otherwise fill the memory with faces long gone.
    this.#audit = new AuditRecord(options.lossless ? Number.POSITIVE_INFINITY : LIVE_TRACKS_KEPT);
    this.#timings = new StageTimings(options.onStage);
    this.#ahead = new LookAhead(options.lookaheadFrames);
    const { width, height } = options.source.info.format;
    this.#sealed = new FramePool(planeLayout(width, height).byteLength, SEALED_SLOTS);
  }

  async run(): Promise<StreamResult> {
    const { source, sink } = this.#options;
    try {
      await this.#frames();
    } catch (error) {
      await sink.abort();
      throw error;
    } finally {
      await source.close();
      this.#engine.endStream(this.#streamId);
    }
    if (this.#audit.totals.frames === 0 && this.#sourceError !== undefined) {
      await sink.abort();
      throw this.#sourceError;
    }
    const early = this.#sourceError !== undefined || (this.#options.stop?.aborted ?? false);
    await sink.finish({ early });
    return {
      audit: this.#audit,
      timings: this.#timings,
      decodeErrors: source.decodeErrors,
      early,
      ...(this.#sourceError !== undefined && { sourceError: this.#sourceError }),
      ...(this.#firstFrameMs !== undefined && { firstFrameMs: this.#firstFrameMs }),
    };
  }

  #frames(): Promise<number> {
    const stopped = new Subject<void>();
    const { stop } = this.#options;
    const onStop = () => stopped.next();
    stop?.addEventListener('abort', onStop, { once: true });
    if (stop?.aborted) queueMicrotask(onStop);
    const discard = (job: FrameJob) => job.raw.close();
    // The source's failure ends the stream after its last good frame; it is told apart here from a failure of the sink.
    const frames = this.#options.source.frames.pipe(
      takeUntil(stopped),
      endOnError((e) => (this.#sourceError = e)),
    );
    return lastValueFrom(
      frames.pipe(
        tap((raw) => this.#arrived(raw)),
        orderedMap({
          concurrency: 1,
          project: (raw: RawFrame) => this.#analyse(raw),
          discardInput: (raw) => raw.close(),
          discardResult: discard,
        }),
        this.#ahead.operator(discard),
        orderedMap({
          concurrency: GENERATING_FRAMES,
          project: (job: FrameJob) => this.#generate(job),
          discardInput: discard,
          discardResult: (job) => this.#discardGenerated(job),
        }),
        orderedMap({
          concurrency: 1,
          project: (job: FrameJob) => this.#compose(job),
          discardInput: (job) => this.#discardGenerated(job),
          discardResult: ({ frame }) => frame.close(),
        }),
        orderedMap({
          concurrency: 1,
          project: (sealed: Sealed) => this.#write(sealed),
          discardInput: ({ frame }) => frame.close(),
        }),
        count(),
      ),
      // One signal stops a whole folder: it would keep every picture's stream and memory until the end.
    ).finally(() => stop?.removeEventListener('abort', onStop));
  }

  /** A decoder that is ahead or keeps pace is not waited for: then the time between pictures is all that is known. */
  #arrived({ decodeMs }: RawFrame): void {
    const now = performance.now();
    this.#timings.add('decode', decodeMs ?? now - this.#lastArrivalMs);
    this.#lastArrivalMs = now;
  }

  async #analyse(raw: RawFrame): Promise<FrameJob> {
    const job: FrameJob = { raw, faces: [] };
    try {
      const { lossless, still } = this.#options;
      const analysed = await this.#engine.analyse(this.#streamId, raw, lossless, still);
      // Whom an analysis that was started again does not see at once stays covered as long as somebody it has lost.
      if (this.#life !== undefined && analysed.life !== this.#life) {
        for (const face of this.#lastFaces) this.#forgotten.add(face, this.#engine.solidFrames, FORGOTTEN_GROWTH);
      }
      this.#life = analysed.life;
      // What is only doubtful is covered on this frame alone, and says nothing of the next.
      const followed = analysed.faces.filter(({ trackId }) => !analysed.ended.includes(trackId));
      const forgotten = this.#forgotten.step(followed);
      job.faces = [...analysed.faces, ...forgotten.covers];
      this.#lastFaces = analysed.faces;
      this.#timings.add('detect', analysed.timingsUs.detect / 1000);
      this.#timings.add('landmarks', analysed.timingsUs.landmarks / 1000);
      const held = [...this.#ahead.window];
      for (const trackId of analysed.started) {
        await searchBack(trackId, held, (earlier, id) => this.#engine.searchBack(this.#streamId, earlier.raw, id));
      }
      const ended = [...analysed.ended, ...forgotten.ended];
      if (ended.length > 0) this.#engine.endTracks(this.#streamId, ended);
    } catch {
      // A picture nobody looked at may hold any face, and so may those before it: what begins on it is searched for in none of them.
      for (const unseen of [job, ...this.#ahead.window]) unseen.veil ??= 'analysis-failed';
    }
    return job;
  }

  async #generate(job: FrameJob): Promise<FrameJob> {
    job.releasedMs = performance.now();
    if (job.veil || job.raw.damaged) return job;
    const started = performance.now();
    const { lossless: wait, still = false } = this.#options;
    const how = { wait, still, detail: this.#options.detail?.() ?? true };
    const faces = await Promise.all(
      withinSlots(job.faces).map((face) =>
        face.cover === 'generated'
          ? this.#engine.generate(this.#streamId, job.raw, face, how).catch(() => stepDown(face, 'held'))
          : face,
      ),
    );
    job.faces = faces;
    if (faces.some((face) => face.cover === 'generated')) this.#timings.add('generate', performance.now() - started);
    return job;
  }

  async #compose(job: FrameJob): Promise<Sealed> {
    const slot = await this.#sealed.acquire();
    const started = performance.now();
    const compose = () => {
      if (job.raw.damaged) job.veil ??= job.raw.reason;
      return this.#engine.compose(this.#streamId, job, slot, this.#options.lossless);
    };
    let lent: Promise<void> | undefined;
    try {
      let composed = await compose();
      // The decoder has complained meanwhile.
      if (job.raw.damaged && composed.frame.kind === 'composed') composed = await compose();
      const { frame, covers, released } = composed;
      lent = released;
      this.#timings.add('post', performance.now() - started);
      return { frame, job, covers };
    } finally {
      // A hung worker may come back to the faces of this frame: another one's crop would become the face it keeps for `held`.
      if (lent) void lent.then(() => this.#discardGenerated(job));
      else this.#discardGenerated(job);
    }
  }

  #discardGenerated(job: FrameJob): void {
    for (const face of job.faces) if (face.faceSlot !== undefined) this.#engine.giveFaceSlot(face.faceSlot);
    job.faces = [];
    job.raw.close();
  }

  async #write(sealed: Sealed): Promise<void> {
    const started = performance.now();
    const { timestampUs } = sealed.frame;
    if (this.#isLate(sealed)) {
      sealed.frame.close();
      this.#audit.totals.lateFrames++;
      this.#progress(timestampUs);
      return;
    }
    const frame = await this.#stillGood(sealed);
    this.#audit.frame(frame.sequence, frame.kind, sealed.covers, sealed.job.veil);
    await this.#options.sink.write(frame);
    this.#firstFrameMs ??= performance.now() - this.#startedMs;
    this.#timings.add('encode', performance.now() - started);
    this.#progress(timestampUs);
  }

  #progress(timestampUs: number): void {
    const { totals } = this.#audit;
    this.#options.onFrame?.({ frames: totals.frames, timestampUs, faces: totals.faces, audit: this.#audit });
  }

  /** The decoder may have complained while the frame waited for the output. */
  async #stillGood({ frame, job }: Sealed): Promise<SealedFrame> {
    if (frame.kind === 'veiled' || !job.raw.damaged) return frame;
    job.veil ??= job.raw.reason;
    const { width, height } = frame.format;
    this.#spare ??= new FramePool(planeLayout(width, height).byteLength, 1);
    const veiled = this.#engine.veil(frame, await this.#spare.acquire());
    frame.close();
    return veiled;
  }

  /** A veiled frame is never too old: it may be what takes a picture away. */
  #isLate({ frame, job }: Sealed): boolean {
    const { source, deadlineMs = Number.POSITIVE_INFINITY, lookaheadFrames } = this.#options;
    if (frame.kind === 'veiled' || source.elapsedUs === undefined) return false;
    const ageMs = (source.elapsedUs - frame.timestampUs) / 1000;
    const heldMs = performance.now() - (job.releasedMs ?? 0);
    return (lookaheadFrames > 0 ? heldMs : ageMs) > deadlineMs;
  }
}
