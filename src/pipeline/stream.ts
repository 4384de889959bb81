import { count, lastValueFrom, Subject, takeUntil, tap } from 'rxjs';
import type { TrackedFace } from '../core/face-track.ts';
import { FramePool } from '../core/frame-pool.ts';
import { planeLayout, type RawFrame, type SealedFrame } from '../core/video-frame.ts';
import type { Sink } from '../egress/sink.ts';
import { AuditRecord } from '../guard/audit-record.ts';
import { stepDown } from '../guard/ladder.ts';
import type { Source } from '../ingest/source.ts';
import { endOnError } from '../rx/end-on-error.ts';
import { LookAhead } from '../rx/look-ahead.ts';
import { orderedMap } from '../rx/ordered-map.ts';
import { LingeringCovers } from '../track/lingering.ts';
import type { Engine } from './engine.ts';
import { FACE_SLOTS } from './face-slots.ts';
import type { FrameJob } from './frame-job.ts';
import { searchBack } from './search-back.ts';
import { type Stage, StageTimings } from './stage-timings.ts';

/** Sealed frames under way between compositor and encoder. */
const SEALED_SLOTS = 4;
/** Frames whose faces may be with the generator at once, so that it is busy while earlier ones are composed. */
const GENERATING_FRAMES = 3;

/** How much larger than it was seen a face is covered that only an earlier life of the analysis knew. */
const FORGOTTEN_GROWTH = 1.3;

/** FaceTracks of a live stream that the audit record keeps; its totals count all. */
const LIVE_TRACKS_KEPT = 512;

export interface StreamOptions {
  readonly source: Source;
  readonly sink: Sink;
  readonly streamId?: number;
  /** Frames held back so that a face can be covered before it was first found; this much latency. */
  readonly lookaheadFrames: number;
  /** True for recordings: wait for a restarted worker and try again, instead of veiling while it starts. */
  readonly lossless: boolean;
  /** A still picture: one frame that has to be looked at everywhere. */
  readonly still?: boolean;
  /** Asked for each frame; false: large faces are drawn without detail, which the machine has no time for. */
  readonly detail?: () => boolean;
  /** Called for each frame handed to the sink. */
  readonly onFrame?: (progress: StreamProgress) => void;
  /** Called with each time a frame spent in a stage, milliseconds. */
  readonly onStage?: (stage: Stage, ms: number) => void;
  /** Stops reading; what has been read is anonymized and written, and the output is completed. */
  readonly stop?: AbortSignal;
}

export interface StreamProgress {
  readonly frames: number;
  readonly timestampUs: number;
  readonly faces: number;
  readonly audit: AuditRecord;
}

export interface StreamResult {
  readonly audit: AuditRecord;
  readonly timings: StageTimings;
  readonly decodeErrors: number;
  /** The source's failure, when it ended early: everything before it has been anonymized and written. */
  readonly sourceError?: unknown;
  /** There was more to read: the source has failed, or somebody has stopped it. */
  readonly early: boolean;
  /** From the call to the first frame handed to the sink. */
  readonly firstFrameMs?: number;
}

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
        tap(() => this.#arrived()),
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
          discardResult: (frame) => frame.close(),
        }),
        orderedMap({
          concurrency: 1,
          project: (frame: SealedFrame) => this.#write(frame),
          discardInput: (frame) => frame.close(),
        }),
        count(),
      ),
      // One signal stops a whole folder: it would keep every picture's stream and memory until the end.
    ).finally(() => stop?.removeEventListener('abort', onStop));
  }

  #arrived(): void {
    const now = performance.now();
    this.#timings.add('decode', now - this.#lastArrivalMs);
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

  async #compose(job: FrameJob): Promise<SealedFrame> {
    const slot = await this.#sealed.acquire();
    const started = performance.now();
    const compose = () => {
      if (job.raw.damaged) job.veil ??= 'damaged';
      return this.#engine.compose(this.#streamId, job, slot, this.#options.lossless);
    };
    let lent: Promise<void> | undefined;
    try {
      let composed = await compose();
      // The decoder has complained meanwhile.
      if (job.raw.damaged && composed.frame.kind === 'composed') composed = await compose();
      const { frame, covers, released } = composed;
      lent = released;
      this.#audit.frame(job.raw.sequence, frame.kind, covers, job.veil);
      this.#timings.add('post', performance.now() - started);
      return frame;
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

  async #write(frame: SealedFrame): Promise<void> {
    const started = performance.now();
    const { timestampUs } = frame;
    await this.#options.sink.write(frame);
    this.#firstFrameMs ??= performance.now() - this.#startedMs;
    this.#timings.add('encode', performance.now() - started);
    const { totals } = this.#audit;
    this.#options.onFrame?.({ frames: totals.frames, timestampUs, faces: totals.faces, audit: this.#audit });
  }
}

/** A frame that asked for more faces than there are slots would wait for itself: the smallest get the solid cover. */
function withinSlots(faces: readonly TrackedFace[]): readonly TrackedFace[] {
  if (faces.length <= FACE_SLOTS) return faces;
  const bySize = [...faces].sort((a, b) => b.region.height - a.region.height);
  const small = new Set(bySize.slice(FACE_SLOTS));
  return faces.map((face) => (small.has(face) ? stepDown(face, 'solid') : face));
}
