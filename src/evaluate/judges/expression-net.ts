import { type InferenceSession, Tensor } from 'onnxruntime-node';
import type { Picture } from '../../core/vision.ts';
import type { ModelStore } from '../../infer/model-store.ts';
import { PictureSampler, squareSampling } from '../../infer/sample.ts';
import { createSession } from '../../infer/session.ts';
import { normaliseRgb } from './face-api-input.ts';
import type { ExpressionJudge } from './judges.ts';

const SIZE = 112;
/** Side of the crop over the larger extent of the 68 points. */
const SIDE = 1.2;

/** face-api's expression net: 1×3×112×112 → logits of seven expressions. */
export class ExpressionNet implements ExpressionJudge {
  readonly name = 'face-api expression net';
  readonly labels = ['neutral', 'happy', 'sad', 'angry', 'fearful', 'disgusted', 'surprised'];
  readonly #session: InferenceSession;
  readonly #sampler = new PictureSampler(SIZE, SIZE);
  readonly #input = new Float32Array(3 * SIZE * SIZE);

  private constructor(session: InferenceSession) {
    this.#session = session;
  }

  static async create(store: ModelStore): Promise<ExpressionNet> {
    return new ExpressionNet((await createSession(store.verify('judge-expression'))).session);
  }

  async classify(picture: Picture, points: Float32Array, shiftPx = 0): Promise<Float32Array> {
    let [left, right, top, bottom] = [Infinity, -Infinity, Infinity, -Infinity];
    for (let i = 0; i < 136; i += 2) {
      left = Math.min(left, points[i]!);
      right = Math.max(right, points[i]!);
      top = Math.min(top, points[i + 1]!);
      bottom = Math.max(bottom, points[i + 1]!);
    }
    const side = SIDE * Math.max(right - left, bottom - top);
    // The shift is in pixels of the net's input: the same for small and large faces.
    const shift = (shiftPx * side) / SIZE;
    const square = { cx: (left + right) / 2 + 0.5 + shift, cy: (top + bottom) / 2 + 0.5, side, angle: 0 };
    this.#sampler.rgb(picture, squareSampling(square, SIZE), this.#input, 0, 1);
    normaliseRgb(this.#input);
    const result = await this.#session.run({ input: new Tensor('float32', this.#input, [1, 3, SIZE, SIZE]) });
    return Float32Array.from(result.logits!.data as Float32Array);
  }
}
