import { type InferenceSession, Tensor } from 'onnxruntime-node';
import type { LandmarkFinder, Picture, SquareCrop } from '../core/vision.ts';
import type { ModelStore } from './model-store.ts';
import { PictureSampler, squareSampling } from './sample.ts';
import { createSession, type SessionOptions } from './session.ts';

const SIZE = 64;
/** Constant offset of the model against dlib's points, in inter-ocular distances, along the face's own axes. */
const BIAS_X = 0.013;
const BIAS_Y = 0.012;

/** iBUG-68: 1×1×64×64 gray / 256 → 136 normalised numbers. */
export class LandmarkModel implements LandmarkFinder {
  readonly #session: InferenceSession;
  readonly #sampler = new PictureSampler(SIZE, SIZE);
  readonly #input = new Float32Array(SIZE * SIZE);

  private constructor(session: InferenceSession) {
    this.#session = session;
  }

  static async create(store: ModelStore, options: SessionOptions = {}): Promise<LandmarkModel> {
    return new LandmarkModel((await createSession(store.verify('face-landmarks'), options)).session);
  }

  async find(picture: Picture, crop: SquareCrop): Promise<Float32Array> {
    const gray = this.#sampler.gray(picture, squareSampling(crop, SIZE));
    for (let i = 0; i < gray.length; i++) this.#input[i] = gray[i]! / 256;
    const result = await this.#session.run({ input: new Tensor('float32', this.#input, [1, 1, SIZE, SIZE]) });
    const raw = result.output!.data as Float32Array;
    const eye = (from: number, axis: number) => {
      let sum = 0;
      for (let i = from; i < from + 6; i++) sum += raw[2 * i + axis]!;
      return sum / 6;
    };
    const between = Math.hypot(eye(42, 0) - eye(36, 0), eye(42, 1) - eye(36, 1));
    const cos = Math.cos(crop.angle);
    const sin = Math.sin(crop.angle);
    const points = new Float32Array(136);
    for (let i = 0; i < 68; i++) {
      const u = (raw[2 * i]! - BIAS_X * between - 0.5) * crop.side;
      const v = (raw[2 * i + 1]! - BIAS_Y * between - 0.5) * crop.side;
      points[2 * i] = crop.cx + cos * u - sin * v - 0.5;
      points[2 * i + 1] = crop.cy + sin * u + cos * v - 0.5;
    }
    return points;
  }
}
