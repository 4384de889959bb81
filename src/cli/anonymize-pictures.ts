import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import jpeg from 'jpeg-js';
import { Observable } from 'rxjs';
import type { Config } from '../config/loader.ts';
import { FramePool } from '../core/frame-pool.ts';
import { type PictureFormat, planeLayout, RawFrame, SealedFrame } from '../core/video-frame.ts';
import type { Picture } from '../core/vision.ts';
import type { Sink } from '../egress/sink.ts';
import type { InputFile, LeftOut } from '../evaluate/pairs.ts';
import { readPicture } from '../evaluate/y4m.ts';
import { PictureSampler, windowSampling } from '../infer/sample.ts';
import type { Source } from '../ingest/source.ts';
import type { Engine } from '../pipeline/engine.ts';
import { runStream } from '../pipeline/stream.ts';
import { startEngine } from './run.ts';

/** A picture is shown this often, so that the windows that take turns in a film all have had theirs; the last one counts. */
const SHOWN = 3;
const FRAME_US = 33_333;
/** Nearly lossless: what a codec does to the result belongs to the figure, what JPEG adds must not drown it. */
const JPEG_QUALITY = 95;

export interface AnonymizedSet {
  readonly leftOut: LeftOut[];
  /** Mean time of analysis, generation and drawing of one frame, ms; undefined when all were there already. */
  readonly timePerFaceMs?: number;
}

/**
 * Runs pictures through the whole pipeline, each as a stream of its own: nobody is followed from one to the next, and
 * everybody gets an understudy of his own. Pictures already in `folder` stay as they are.
 * @throws UnderstudyError from starting the engine
 */
export async function anonymizePictures(
  { config, track }: { readonly config: Config; readonly track: Readonly<Record<string, unknown>> },
  files: readonly InputFile[],
  folder: string,
  onPicture?: (done: number) => void,
): Promise<AnonymizedSet> {
  mkdirSync(folder, { recursive: true });
  const leftOut: LeftOut[] = [];
  const target = (file: InputFile) => join(folder, `${file.name}.jpg`);
  if (files.every((f) => existsSync(target(f)))) return { leftOut };
  const sessionKey = config.sessionKey ? Buffer.from(config.sessionKey, 'hex') : randomBytes(32);
  const engine = await startEngine(config, sessionKey, track);
  const times: number[] = [];
  try {
    for (const [i, file] of files.entries()) {
      if (!existsSync(target(file))) {
        try {
          times.push(await anonymizeOne(engine, await readPicture(file.path), i, target(file)));
        } catch (error) {
          leftOut.push({ name: file.name, reason: (error as Error).message });
        }
      }
      onPicture?.(i + 1);
    }
  } finally {
    await engine.close();
  }
  const measured = times.filter(Number.isFinite);
  const timePerFaceMs = measured.reduce((a, b) => a + b, 0) / measured.length;
  return { leftOut, ...(measured.length > 0 && { timePerFaceMs }) };
}

async function anonymizeOne(engine: Engine, picture: Picture, streamId: number, path: string): Promise<number> {
  const sink = new LastPictureSink(path);
  const result = await runStream(engine, {
    source: new PictureSource(picture),
    sink,
    streamId,
    lookaheadFrames: 0,
    lossless: true,
  });
  if (result.sourceError) throw result.sourceError;
  const { detect, landmarks, generate, post } = result.timings.summary();
  return detect.p50Ms + landmarks.p50Ms + generate.p50Ms + post.p50Ms;
}

/** One picture as a stream of a few equal frames. */
class PictureSource implements Source {
  readonly info: Source['info'];
  readonly decodeErrors = 0;
  readonly frames: Observable<RawFrame>;

  constructor(picture: Picture) {
    const { format, planes } = picture;
    this.info = { format, frameCount: SHOWN, hasAudio: false };
    const pool = new FramePool(planes.length, SHOWN);
    this.frames = new Observable((subscriber) => {
      for (let i = 0; i < SHOWN; i++) {
        const slot = pool.tryAcquire()!;
        new Uint8Array(slot.memory).set(planes);
        subscriber.next(new RawFrame({ sequence: i, timestampUs: i * FRAME_US, format }, slot));
      }
      subscriber.complete();
    });
  }

  async close(): Promise<void> {}
}

/** Writes the last frame as JPEG. */
class LastPictureSink implements Sink {
  readonly #path: string;
  #last: { pixels: Uint8Array; format: PictureFormat } | undefined;

  constructor(path: string) {
    this.#path = path;
  }

  async write(frame: SealedFrame): Promise<void> {
    if (!SealedFrame.isSealed(frame)) throw new Error('only a SealedFrame may leave');
    this.#last = { pixels: Uint8Array.from(frame.pixels), format: frame.format };
    frame.close();
  }

  async finish(): Promise<void> {
    if (!this.#last) throw new Error('no frame arrived');
    const { pixels, format } = this.#last;
    writeFileSync(`${this.#path}.part`, encodeJpeg(pixels, format));
    renameSync(`${this.#path}.part`, this.#path);
  }

  async abort(): Promise<void> {
    this.#last = undefined;
  }
}

function encodeJpeg(planes: Uint8Array, format: PictureFormat): Uint8Array {
  const { width, height } = format;
  const n = width * height;
  const rgb = new Float32Array(3 * n);
  const whole = windowSampling({ x: 0, y: 0, width, height, quarterTurns: 0 }, width, height);
  new PictureSampler(width, height).rgb(
    { planes: planes.subarray(0, planeLayout(width, height).byteLength), format },
    whole,
    rgb,
    0,
    1,
  );
  const rgba = Buffer.alloc(4 * n, 255);
  for (let p = 0; p < n; p++) for (let c = 0; c < 3; c++) rgba[4 * p + c] = Math.round(rgb[c * n + p]!);
  return jpeg.encode({ data: rgba, width, height }, JPEG_QUALITY).data;
}
