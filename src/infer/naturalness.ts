import { type InferenceSession, Tensor } from 'onnxruntime-node';
import { CROP_SIZE, LANDMARK_COUNT } from '../core/face-track.ts';
import type { GeneratedFace } from './generated-face.ts';
import type { ModelStore } from './model-store.ts';
import { createSession, type SessionOptions } from './session.ts';

const NAME = 'generator-naturalness';
const AREA = CROP_SIZE * CROP_SIZE;

/**
 * How much a generated face looks like a photograph: what the generator's discriminator learnt (training/naturalness.py),
 * 1×3×128×128 RGB [−1, 1], mask and points → one number, 0 for the usual draw, in standard deviations of draws. It ranks
 * what this generator draws; a picture that none drew may score anything.
 */
export class Naturalness {
  readonly #session: InferenceSession;
  readonly #picture = new Float32Array(3 * AREA);
  readonly #mask = new Float32Array(AREA);

  private constructor(session: InferenceSession) {
    this.#session = session;
  }

  /** The file's name in models/manifest.json, or nothing: somebody else's generator may come without. */
  static models(store: ModelStore): string[] {
    return store.lists(NAME) ? [NAME] : [];
  }

  static async create(store: ModelStore, options: SessionOptions = {}): Promise<Naturalness | undefined> {
    if (!store.lists(NAME)) return undefined;
    return new Naturalness((await createSession(store.verify(NAME), options)).session);
  }

  /** @param points 2×70 numbers in canonical-crop pixels, those that the face was asked for */
  async of(face: GeneratedFace, points: Float32Array): Promise<number> {
    face.planar(this.#picture, this.#mask);
    const result = await this.#session.run({
      picture: new Tensor('float32', this.#picture, [1, 3, CROP_SIZE, CROP_SIZE]),
      mask: new Tensor('float32', this.#mask, [1, 1, CROP_SIZE, CROP_SIZE]),
      landmarks: new Tensor('float32', points.subarray(0, 2 * LANDMARK_COUNT), [1, LANDMARK_COUNT, 2]),
    });
    return (result.naturalness!.data as Float32Array)[0]!;
  }
}
