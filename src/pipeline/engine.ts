import type { Cover, TrackedFace } from '../core/face-track.ts';
import type { FrameInfo, FrameSlot, RawFrame, SealedFrame } from '../core/video-frame.ts';
import { MAX_STUCK, WorkerClient } from '../core/worker-client.ts';
import { WorkerHung } from '../core/worker-errors.ts';
import { type Composed, Compositor } from '../gpu-post/compositor.ts';
import { XDisplay } from '../gpu-post/x-display.ts';
import { lower, stepDown } from '../guard/ladder.ts';
import { CHOICE, type Judgement, LIVE_CHOICE, ReidentificationGate } from '../guard/reidentification-gate.ts';
import { DetailChoice } from '../infer/detail.ts';
import { DetectorHelpers, detectorThreads } from '../infer/detector-helpers.ts';
import { GeneratorClient } from '../infer/generator-client.ts';
import { Identities } from '../infer/identity.ts';
import { ModelStore } from '../infer/model-store.ts';
import { trackOptions } from '../track/options.ts';
import type { Analysed, AnalysisReply, AnalysisRequest, AnalysisWorkerData } from './analysis-messages.ts';
import { ANALYSIS_MODELS, type EngineOptions, type GenerateOptions, PATIENCE, startFailure } from './engine-options.ts';
import { FaceSlots } from './face-slots.ts';
import type { FrameJob } from './frame-job.ts';
import { patiently } from './patiently.ts';
import { RunNumbers } from './run-numbers.ts';

interface DrawItem {
  readonly person: string;
  readonly streamId: number;
  readonly raw: RawFrame;
  readonly face: TrackedFace;
  readonly slot: number;
}

/** The three workers, the helpers of the analysis, and what they share. Serves any number of streams. */
export class Engine {
  readonly #options: EngineOptions;
  readonly #analysis: WorkerClient<AnalysisRequest, AnalysisReply>;
  readonly #helpers: DetectorHelpers;
  readonly #generator: GeneratorClient | undefined;
  readonly #compositor: Compositor;
  readonly #faceSlots: FaceSlots;
  readonly #gate: ReidentificationGate;
  readonly #detail = new DetailChoice();
  readonly #runs = new RunNumbers();
  readonly #identities: Identities;
  /** Names of all models in use, as models/manifest.json has them. */
  readonly models: readonly string[];

  private constructor(
    options: EngineOptions,
    analysis: WorkerClient<AnalysisRequest, AnalysisReply>,
    helpers: DetectorHelpers,
    generator: GeneratorClient | undefined,
    compositor: Compositor,
    generatorModels: readonly string[],
    identities: Identities,
    faceSlots: FaceSlots,
  ) {
    this.#identities = identities;
    this.#faceSlots = faceSlots;
    this.#gate = new ReidentificationGate(options.sessionKey, options.live ? LIVE_CHOICE : CHOICE);
    this.models = [...ANALYSIS_MODELS, ...generatorModels, ...identities.models];
    this.#options = options;
    this.#analysis = analysis;
    this.#helpers = helpers;
    this.#generator = generator;
    this.#compositor = compositor;
  }

  /** Starts all workers at once. Rejects with an UnderstudyError when a model, the display or the GL context is missing. */
  static async start(options: EngineOptions): Promise<Engine> {
    // llvmpipe's own threads would fight the models for the cores; a worker cannot set this for itself.
    process.env.LP_NUM_THREADS ??= '0';
    const { modelsDir, cacheDir } = options;
    const places = { ...(modelsDir && { modelsDir }), ...(cacheDir && { cacheDir }) };
    const generates = options.mode === 'generate';
    const store = ModelStore.open({ ...(modelsDir && { dir: modelsDir }), ...(cacheDir && { cacheDir }) });
    const identities = generates ? Identities.load(store, options.infer.truncation) : new Identities();
    // A generator that hangs keeps those of its batch, for good where its call never returns.
    const faceSlots = new FaceSlots(MAX_STUCK * options.infer.maxBatchSize);
    const faceMemory = faceSlots.memory;
    const warn = options.onWarning ?? (() => {});
    const patience = { ...(options.live ? PATIENCE.live : PATIENCE.recording), onHopeless: warn };
    const { executionProviders } = options.infer;
    const threads = detectorThreads(options.infer.detectorThreads, options.still ?? false);
    const helpers = new DetectorHelpers(
      threads - 1,
      { ...places, executionProviders },
      {
        timeoutMs: patience.timeoutMs,
        givesWay: options.live,
        onDeath: (error) => warn(`${error.message}; it is being started again`),
        onHopeless: warn,
      },
    );
    const data: AnalysisWorkerData = {
      ...places,
      executionProviders,
      detectorChannel: helpers.channel,
      sessionKey: options.sessionKey,
      live: options.live,
      track: options.track,
      epoch: new SharedArrayBuffer(4),
      faceMemory,
    };
    const analysis = new WorkerClient<AnalysisRequest, AnalysisReply>(
      'analysis',
      new URL('./analysis-worker', import.meta.url),
      {
        data,
        ...patience,
        givesWay: options.live,
        onDeath: (error) => warn(`${error.message}; it is being started again`),
      },
    );
    const generator = generates
      ? GeneratorClient.start({
          faceMemory,
          ...places,
          ...options.infer,
          patience,
          givesWay: options.live,
          onWarning: warn,
        })
      : undefined;
    // GL asks the generator for its size and waits for nothing else; the display is started meanwhile.
    const display = generates ? XDisplay.open() : undefined;
    const composing = Promise.all([generator?.ready, display]).then(([info]) =>
      Compositor.start({
        faceMemory,
        faceSize: info?.faceSize ?? 128,
        mode: options.mode,
        photometry: options.photometry,
        patience,
        givesWay: options.live,
        onWarning: warn,
      }),
    );
    try {
      const [info, compositor] = await Promise.all([generator?.ready, composing, analysis.ready, helpers.ready]);
      return new Engine(options, analysis, helpers, generator, compositor, info?.models ?? [], identities, faceSlots);
    } catch (error) {
      const begun = composing.then(
        (compositor) => compositor.close(),
        () => {},
      );
      await Promise.all([analysis.close(), generator?.close(), begun]);
      await helpers.close();
      throw startFailure(error);
    }
  }

  /** Told how many faces go through the generator together. */
  set onBatch(observe: (faces: number) => void) {
    if (this.#generator) this.#generator.onBatch = observe;
  }

  /** Whether all workers are up; frames are veiled or faces covered while one is not. */
  get healthy(): boolean {
    return this.#analysis.alive && (this.#generator?.alive ?? true) && this.#compositor.alive;
  }

  /** How long a face that was lost stays covered, frames. */
  get solidFrames(): number {
    const { track, sessionKey } = this.#options;
    return trackOptions({ ...track, mode: 'file', sessionKey }).solidFrames;
  }

  /**
   * @param wait true: wait for a restarted worker and try once more; false: reject at once (the caller veils)
   * @param still a picture of its own: looked at everywhere, at every turn
   */
  async analyse(streamId: number, raw: RawFrame, wait: boolean, still = false): Promise<Analysed> {
    const request = {
      kind: 'analyse' as const,
      streamId,
      run: this.#runs.of(streamId),
      ...picture(raw),
      damaged: raw.damaged,
      still,
    };
    return (await patiently(this.#analysis, wait, () => this.#analysis.call(request))) as Analysed;
  }

  async searchBack(streamId: number, raw: RawFrame, trackId: number): Promise<TrackedFace | 'scene-cut'> {
    const request = { kind: 'search-back' as const, streamId, run: this.#runs.of(streamId), ...picture(raw), trackId };
    return (await this.#analysis.call(request)) as TrackedFace | 'scene-cut';
  }

  /** The face with its slot filled, or a step further down the ladder. The caller gives the slot back after composing. */
  async generate(
    streamId: number,
    raw: RawFrame,
    face: TrackedFace,
    { wait, still = false, detail = true }: GenerateOptions,
  ): Promise<TrackedFace> {
    const generator = this.#generator;
    if (!generator) return face;
    const slot = wait ? await this.#faceSlots.take() : this.#faceSlots.tryTake();
    if (slot === undefined) return stepDown(face, 'held');
    try {
      // Not of one that is being started again: live, no frame waits for that.
      const info = generator.info ?? (await generator.ready);
      const detailSize = detail ? info.detailSize : undefined;
      const sized = { ...face, ...this.#detail.sizeOf(`${streamId}/${face.trackId}`, face.toPicture, detailSize) };
      const person = personKey(still ? 'still' : streamId, face.personId);
      if (await this.#draw(generator, { streamId, person, raw, face: sized, slot }, wait))
        return { ...sized, faceSlot: slot };
      this.#faceSlots.give(slot);
    } catch (error) {
      // No generated face means the last good one, or the solid cover. A hung generator may still write into the slot.
      if (error instanceof WorkerHung) this.#faceSlots.giveAfter(slot, error.released);
      else this.#faceSlots.give(slot);
    }
    return stepDown(face, 'held');
  }

  /** Fills the slot with the understudy's face; a person's first one is judged before anything is shown. */
  async #draw(generator: GeneratorClient, item: DrawItem, wait: boolean): Promise<boolean> {
    const { streamId, person, raw, face, slot } = item;
    const { faceSize: shownSize, ...plain } = face;
    const run = async (draw: number, drawn: TrackedFace) => {
      const z = this.#identities.zFor(this.#options.sessionKey, face.personId, draw);
      const request = { raw: raw.slot.memory, format: raw.format, face: drawn, slot, z };
      return (await patiently(generator, wait, (again) => generator.generate(request, again))) === 'generated';
    };
    // Detail is fine grain over the same face: it changes neither who it is nor what it expresses, and takes as long as the face.
    const { faceSize } = generator.info ?? (await generator.ready);
    let shown: { draw: number; good: boolean } | undefined;
    const { draw, judged } = await this.#gate.drawFor(person, async (candidate, limit) => {
      shown = { draw: candidate, good: await run(candidate, plain) };
      const { driven, personId } = plain;
      if (!shown.good || !driven) return undefined;
      const request = { kind: 'judge', streamId, personId, faceSlot: slot, faceSize, driven, limit } as const;
      const judged = patiently(this.#analysis, wait, () => this.#analysis.call(request)).catch(() => undefined);
      // One that hangs only reads the slot, and nobody hears what it says of what it finds there: the slot is ours again at once.
      return (await judged) as Judgement | undefined;
    });
    if (judged && shown?.draw === draw && (shownSize ?? faceSize) === faceSize) return shown.good;
    return run(draw, face);
  }

  async compose(
    streamId: number,
    job: FrameJob,
    slot: FrameSlot,
    wait: boolean,
  ): Promise<Composed & { readonly covers: { trackId: number; cover: Cover }[] }> {
    const planned = job.faces.map(({ trackId, cover }) => ({ trackId, cover }));
    if (job.veil) return { frame: this.#compositor.veil(job.raw, slot), covers: planned };
    if (wait) await this.#compositor.ready.catch(() => {});
    const drawn = await this.#compositor.compose(job.raw, job.faces, slot, streamId);
    if (drawn.frame.kind === 'veiled') job.veil = 'compositor-failed';
    const covers = drawn.covers.map(({ trackId, cover }) => {
      const plan = planned.find((p) => p.trackId === trackId);
      return { trackId, cover: plan ? lower(plan.cover, cover) : cover };
    });
    return { ...drawn, covers };
  }

  /** Nothing but grey, in the place of a frame that may no longer be shown. Takes over `slot`. */
  veil(info: FrameInfo, slot: FrameSlot): SealedFrame {
    return this.#compositor.veil(info, slot);
  }

  giveFaceSlot(slot: number): void {
    this.#faceSlots.give(slot);
  }

  endTracks(streamId: number, trackIds: readonly number[]): void {
    this.#compositor.endTrack(streamId, [...trackIds]);
  }

  endStream(streamId: number): void {
    this.#gate.endStream(personKey(streamId));
    this.#detail.endStream(`${streamId}/`);
    const run = this.#runs.end(streamId);
    this.#analysis.call({ kind: 'end-stream', streamId, run }).catch(() => {
      // A worker that is down holds no state of the stream; one that is late drops it when the stream's number is used again.
    });
  }

  async close(): Promise<void> {
    await Promise.all([this.#analysis.close(), this.#generator?.close(), this.#compositor.close()]);
    await this.#helpers.close();
  }
}

/** Still pictures share the persons that are met in them: the same one has the same understudy in all. */
const personKey = (stream: number | 'still', personId?: number) => `${stream}/${personId ?? ''}`;

function picture(raw: RawFrame) {
  return { memory: raw.slot.memory, format: raw.format, sequence: raw.sequence, timestampUs: raw.timestampUs };
}
