import { type InferenceSession, Tensor } from 'onnxruntime-node';
import { type Affine, CROP_SIZE, LANDMARK_COUNT } from '../core/face-track.ts';
import { createSession, type SessionOptions } from './session.ts';

export const DETAIL_SIZE = 2 * CROP_SIZE;
/** Picture pixels per canonical pixel from which a face gets detail, and below which it loses it again. */
const FROM = 1.8;
const UNTIL = 1.5;
const MAX_REMEMBERED = 512;

export interface DetailInputs {
  /** The generator's face, planar RGB 128², [−1, 1]. */
  readonly face: Float32Array;
  readonly context: Float32Array;
  readonly mask: Float32Array;
  readonly landmarks: Float32Array;
}

/** Draws what a face of 128² lacks at 256²: a network of its own, so that one fits every precision of the generator. */
export class Detail {
  readonly #session: InferenceSession;
  /** The answer's place: a new one for each face would be paged in each time. */
  readonly #face = new Float32Array(3 * DETAIL_SIZE * DETAIL_SIZE);

  private constructor(session: InferenceSession) {
    this.#session = session;
  }

  static async create(path: string, options: SessionOptions = {}): Promise<Detail> {
    return new Detail((await createSession(path, options)).session);
  }

  /** @returns the face, planar RGB 256², [−1, 1], of use until the next one is drawn */
  async draw({ face, context, mask, landmarks }: DetailInputs): Promise<Float32Array> {
    const square = [CROP_SIZE, CROP_SIZE];
    const feeds = {
      small: new Tensor('float32', face, [1, 3, ...square]),
      context: new Tensor('float32', context, [1, 3, ...square]),
      mask: new Tensor('float32', mask, [1, 1, ...square]),
      landmarks: new Tensor('float32', landmarks, [1, LANDMARK_COUNT, 2]),
    };
    // An answer that is not put there is no face.
    this.#face[0] = Number.NaN;
    await this.#session.run(feeds, { face: new Tensor('float32', this.#face, [1, 3, DETAIL_SIZE, DETAIL_SIZE]) });
    return this.#face;
  }
}

/** Which faces are shown large enough for detail. One at the limit does not go to and fro: it would be seen to. */
export class DetailChoice {
  readonly #detailed = new Set<string>();

  /** @param detailSize undefined when there is no network that draws it */
  sizeOf(track: string, t: Affine | undefined, detailSize: number | undefined): { readonly faceSize?: number } {
    if (!t || !detailSize) return {};
    const scale = Math.sqrt(Math.abs(t.a * t.e - t.b * t.d));
    const wanted = scale >= (this.#detailed.has(track) ? UNTIL : FROM);
    this.#detailed.delete(track);
    if (wanted) this.#detailed.add(track);
    // Frames held back still ask about FaceTracks that have ended: the oldest goes.
    if (this.#detailed.size > MAX_REMEMBERED) this.#detailed.delete(this.#detailed.keys().next().value as string);
    return wanted ? { faceSize: detailSize } : {};
  }

  endStream(prefix: string): void {
    for (const track of this.#detailed) if (track.startsWith(prefix)) this.#detailed.delete(track);
  }
}
