import { type InferenceSession, Tensor } from 'onnxruntime-node';
import type { FaceEmbedder, Picture } from '../core/vision.ts';
import type { GeneratedFace } from './generated-face.ts';
import type { ModelStore } from './model-store.ts';
import { PictureSampler, type Sampling } from './sample.ts';
import { createSession, type SessionOptions } from './session.ts';

const SIZE = 112;
/** ArcFace's five reference points in the 112-pixel crop (Deng et al., CVPR 2019): eyes, nose, mouth corners. */
export const ARCFACE_POINTS = [
  38.2946, 51.6963, 73.5318, 51.5014, 56.0252, 71.7366, 41.5493, 92.3655, 70.7299, 92.2041,
];

/** Face embedding, 1×3×112×112 RGB (x − 127.5)/128 → 512. */
export class Recognizer implements FaceEmbedder {
  readonly #session: InferenceSession;
  readonly #sampler = new PictureSampler(SIZE, SIZE);
  readonly #input = new Float32Array(3 * SIZE * SIZE);

  private constructor(session: InferenceSession) {
    this.#session = session;
  }

  static async create(store: ModelStore, options: SessionOptions = {}): Promise<Recognizer> {
    return new Recognizer((await createSession(store.verify('face-recognizer'), options)).session);
  }

  async embed(picture: Picture, fivePoints: Float32Array): Promise<Float32Array> {
    this.#sampler.rgb(picture, similarity(ARCFACE_POINTS, fivePoints), this.#input, 127.5, 1 / 128);
    return this.#run();
  }

  /** @param fivePoints 10 numbers in canonical-crop pixels */
  async embedGenerated(face: GeneratedFace, fivePoints: Float32Array): Promise<Float32Array> {
    const s = similarity(ARCFACE_POINTS, fivePoints);
    const n = SIZE * SIZE;
    const rgb = new Uint8Array(3);
    for (let v = 0; v < SIZE; v++) {
      for (let u = 0; u < SIZE; u++) {
        face.read(s.a * u + s.b * v + s.c, s.d * u + s.e * v + s.f, rgb);
        for (let c = 0; c < 3; c++) this.#input[c * n + v * SIZE + u] = (rgb[c]! - 127.5) / 128;
      }
    }
    return this.#run();
  }

  async #run(): Promise<Float32Array> {
    const result = await this.#session.run({ input: new Tensor('float32', this.#input, [1, 3, SIZE, SIZE]) });
    const embedding = Float32Array.from(result.output!.data as Float32Array);
    const length = Math.hypot(...embedding) || 1;
    return embedding.map((x) => x / length);
  }
}

/** Least-squares similarity that takes the points of `from` to those of `to` (Umeyama 1991, without reflection). */
export function similarity(from: ArrayLike<number>, to: ArrayLike<number>): Sampling {
  const n = from.length / 2;
  const mean = (p: ArrayLike<number>, axis: number) => {
    let sum = 0;
    for (let i = 0; i < n; i++) sum += p[2 * i + axis]!;
    return sum / n;
  };
  const [fx, fy, tx, ty] = [mean(from, 0), mean(from, 1), mean(to, 0), mean(to, 1)];
  let dot = 0;
  let cross = 0;
  let norm = 0;
  for (let i = 0; i < n; i++) {
    const [x, y] = [from[2 * i]! - fx, from[2 * i + 1]! - fy];
    const [u, v] = [to[2 * i]! - tx, to[2 * i + 1]! - ty];
    dot += x * u + y * v;
    cross += x * v - y * u;
    norm += x * x + y * y;
  }
  const a = dot / norm;
  const d = cross / norm;
  return { a, b: -d, c: tx - a * fx + d * fy, d, e: a, f: ty - d * fx - a * fy };
}
