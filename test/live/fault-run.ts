import { createHash } from 'node:crypto';
import { cpSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { Worker } from 'node:worker_threads';
import { loadConfig } from '../../src/config/loader.ts';
import { planeLayout, SealedFrame } from '../../src/core/video-frame.ts';
import type { Sink } from '../../src/egress/sink.ts';
import type { LiveSource } from '../../src/ingest/live/live-source.ts';
import { Engine } from '../../src/pipeline/engine.ts';
import { runStream } from '../../src/pipeline/stream.ts';
import type { StreamResult } from '../../src/pipeline/stream-options.ts';
import type { ShownFrame } from './browser.ts';
import { temporaryFolder, until } from './support.ts';

export { childrenWith } from './processes.ts';

/** Keeps every frame that leaves, as RGB of its luma and chroma, and when. */
export class KeepingSink implements Sink {
  readonly frames: (ShownFrame & { timestampUs: number; atMs: number; kind: string })[] = [];
  /** How long each frame takes to be written. */
  delayMs = 0;

  async write(frame: SealedFrame): Promise<void> {
    if (!SealedFrame.isSealed(frame)) throw new Error('only a SealedFrame may leave');
    const { timestampUs, kind } = frame;
    const { width, height } = frame.format;
    const rgba = toRgba(frame.pixels, width, height);
    if (this.delayMs > 0) await new Promise((done) => setTimeout(done, this.delayMs));
    this.frames.push({ width, height, rgba, timestampUs, kind, atMs: performance.now() });
    frame.close();
  }

  async finish(): Promise<void> {}
  async abort(): Promise<void> {}

  /** Frames since the last call. */
  take() {
    return this.frames.splice(0);
  }
}

function toRgba(planes: Uint8Array, width: number, height: number): Uint8Array {
  const { chromaWidth, cbOffset, crOffset } = planeLayout(width, height);
  const rgba = new Uint8ClampedArray(width * height * 4);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const luma = 1.164 * (planes[y * width + x]! - 16);
      const at = (y >> 1) * chromaWidth + (x >> 1);
      const [cb, cr] = [planes[cbOffset + at]! - 128, planes[crOffset + at]! - 128];
      const to = 4 * (y * width + x);
      rgba[to] = luma + 1.596 * cr;
      rgba[to + 1] = luma - 0.392 * cb - 0.813 * cr;
      rgba[to + 2] = luma + 2.017 * cb;
      rgba[to + 3] = 255;
    }
  }
  return new Uint8Array(rgba.buffer);
}

export type Role = 'helper' | 'analysis' | 'generator' | 'GL';

/** The real engine with its worker threads at hand, so that they can be killed. */
export class EngineUnderTest {
  readonly engine: Engine;
  /** In the order of their start. */
  readonly workers: Worker[];
  readonly #now: Record<Role, Worker | undefined>;
  readonly #stopWatching: () => void;

  private constructor(engine: Engine, workers: Worker[], stopWatching: () => void) {
    this.engine = engine;
    this.workers = workers;
    // Started in this order: a helper of the face detector if there is one, analysis, generator, GL.
    const [GL, generator, analysis, helper] = [...workers].reverse();
    this.#now = { helper, analysis, generator, GL };
    this.#stopWatching = stopWatching;
  }

  /** Ends a worker; resolves when another one has been started in its place, which need not be ready yet. */
  async replace(role: Role, end: (worker: Worker) => void): Promise<void> {
    const before = this.workers.length;
    end(this.#now[role]!);
    await until(() => this.workers.length > before, 60_000, `another worker for ${role}`);
    this.#now[role] = this.workers[before];
  }

  static async start(
    models: { dir?: string; cacheDir?: string } = {},
    onWarning?: (sentence: string) => void,
    detectorThreads = 1,
    live = true,
  ): Promise<EngineUnderTest> {
    const config = loadConfig({ sets: [], env: {} });
    const { lookaheadFrames: _, ...track } = config.track;
    const workers: Worker[] = [];
    const onWorker = (worker: Worker) => void workers.push(worker);
    process.on('worker', onWorker);
    const engine = await Engine.start({
      mode: 'generate',
      photometry: { ...config.post },
      sessionKey: Buffer.from('00112233445566778899aabbccddeeff', 'hex'),
      live,
      track: { ...config.detect, ...track },
      infer: { ...config.infer, detectorThreads },
      ...(models.dir && { modelsDir: models.dir }),
      ...(models.cacheDir && { cacheDir: models.cacheDir }),
      ...(onWarning && { onWarning }),
    });
    return new EngineUnderTest(engine, workers, () => process.off('worker', onWorker));
  }

  async close(): Promise<void> {
    this.#stopWatching();
    await this.engine.close();
  }
}

export interface Running {
  readonly source: LiveSource;
  readonly sink: KeepingSink;
  /** Resolves when the stream has ended. */
  readonly done: Promise<StreamResult>;
  stop(): Promise<StreamResult>;
}

/** A stream through the engine, until it is stopped. */
export function startRun(engine: Engine, source: LiveSource, streamId = 1, lookaheadFrames = 0): Running {
  const sink = new KeepingSink();
  const stop = new AbortController();
  const done = runStream(engine, { source, sink, streamId, lookaheadFrames, lossless: false, stop: stop.signal });
  return {
    source,
    sink,
    done,
    stop: () => {
      stop.abort();
      return done;
    },
  };
}

/** The models of the program with one of them spoilt, under hashes of their own. */
export function spoiltModels(name: string, spoil: (bytes: Buffer) => Buffer): { dir: string; cacheDir: string } {
  const root = temporaryFolder();
  const [dir, cacheDir] = [join(root, 'models'), join(root, 'cache')];
  cpSync('models', dir, { recursive: true });
  mkdirSync(join(cacheDir, 'models'), { recursive: true });
  const manifest = JSON.parse(readFileSync('models/manifest.json', 'utf8')) as {
    models: { name: string; sha256: string; file?: string }[];
  };
  const entry = manifest.models.find((model) => model.name === name)!;
  // The quantized twin would be taken in its place.
  manifest.models = manifest.models.filter((model) => model.name !== `${name}-int8`);
  const cache = resolve(process.env.UNDERSTUDY_CACHE ?? '.cache', 'models');
  for (const file of readdirSync(cache)) {
    if (entry.file || file !== `${name}.onnx`) symlinkSync(join(cache, file), join(cacheDir, 'models', file));
  }
  const original = readFileSync(entry.file ? join('models', entry.file) : join(cache, `${name}.onnx`));
  const bytes = spoil(original);
  writeFileSync(entry.file ? join(dir, entry.file) : join(cacheDir, 'models', `${name}.onnx`), bytes);
  entry.sha256 = createHash('sha256').update(bytes).digest('hex');
  writeFileSync(join(dir, 'manifest.json'), JSON.stringify(manifest));
  return { dir, cacheDir };
}
