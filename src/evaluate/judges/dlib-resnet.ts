import { type InferenceSession, Tensor } from 'onnxruntime-node';
import type { Picture } from '../../core/vision.ts';
import type { ModelStore } from '../../infer/model-store.ts';
import { similarity } from '../../infer/recognizer.ts';
import { PictureSampler } from '../../infer/sample.ts';
import { createSession } from '../../infer/session.ts';
import { minusDistance } from '../metrics/reidentification.ts';
import { normaliseRgb } from './face-api-input.ts';
import type { RecognizerJudge } from './judges.ts';

const SIZE = 150;
const PADDING = 0.25;
/** dlib's mean face (face_pose/render_face… `get_face_chip_details`), points 27–35, 36–47 and the corners and top of the mouth. */
const MEAN_X = [
  0.490127, 0.490127, 0.490127, 0.490127, 0.36688, 0.426036, 0.490127, 0.554217, 0.613373, 0.121737, 0.187122, 0.265825,
  0.334606, 0.260918, 0.182743, 0.645647, 0.714428, 0.793132, 0.858516, 0.79751, 0.719335, 0.254149, 0.340985, 0.428858,
  0.490127, 0.551395, 0.639268, 0.726104,
];
const MEAN_Y = [
  0.203352, 0.307009, 0.409805, 0.515625, 0.587326, 0.609345, 0.628106, 0.609345, 0.587326, 0.216423, 0.178758,
  0.179852, 0.231733, 0.245099, 0.244077, 0.231733, 0.179852, 0.178758, 0.216423, 0.244077, 0.245099, 0.780233,
  0.745405, 0.727388, 0.742578, 0.727388, 0.745405, 0.780233,
];
const FIRST_POINT = 27;
const REFERENCE = MEAN_X.flatMap((x, i) => [
  (SIZE * (PADDING + x)) / (2 * PADDING + 1),
  (SIZE * (PADDING + MEAN_Y[i]!)) / (2 * PADDING + 1),
]);

/**
 * dlib's face recognition ResNet (King 2017) as face-api ships it: a chip of 150 pixels aligned to dlib's mean face →
 * 128 numbers. Its descriptors of different people have cosines around 0.84: compared by Euclidean distance.
 */
export class DlibResnet implements RecognizerJudge {
  readonly key = 'B';
  readonly name = 'dlib ResNet (face-api)';
  readonly similarity = minusDistance;
  readonly #session: InferenceSession;
  readonly #sampler = new PictureSampler(SIZE, SIZE);
  readonly #input = new Float32Array(3 * SIZE * SIZE);

  private constructor(session: InferenceSession) {
    this.#session = session;
  }

  static async create(store: ModelStore): Promise<DlibResnet> {
    return new DlibResnet((await createSession(store.verify('judge-dlib-resnet'))).session);
  }

  async embed(picture: Picture, points: Float32Array): Promise<Float32Array> {
    const own = points.subarray(2 * FIRST_POINT, 2 * (FIRST_POINT + MEAN_X.length));
    this.#sampler.rgb(picture, similarity(REFERENCE, own), this.#input, 0, 1);
    normaliseRgb(this.#input);
    const result = await this.#session.run({ input: new Tensor('float32', this.#input, [1, 3, SIZE, SIZE]) });
    return Float32Array.from(result.embedding!.data as Float32Array);
  }
}
