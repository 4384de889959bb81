import { type InferenceSession, Tensor } from 'onnxruntime-node';
import { ExitCode, UnderstudyError } from '../core/errors.ts';
import { faceMask } from '../core/face-mask.ts';
import { type FaceSlotViews, MAX_FACE_SIZE } from '../core/face-slot.ts';
import { type Affine, CROP_SIZE, LANDMARK_COUNT, type TrackedFace } from '../core/face-track.ts';
import type { Picture } from '../core/vision.ts';
import { DETAIL_SIZE, Detail } from './detail.ts';
import { type Exposure, expose, exposureOf, unexpose } from './exposure.ts';
import { FacePixels } from './face-pixels.ts';
import { colourGuide } from './guide.ts';
import { IDENTITY_SIZE } from './identity.ts';
import { adaptedInputs, type ModelAdapter, readAdapter } from './model-adapter.ts';
import { HalvedPlanes } from './picture-pyramid.ts';
import { PictureSampler } from './sample.ts';
import { createSession, type SessionOptions } from './session.ts';

const AREA = CROP_SIZE * CROP_SIZE;

export interface GeneratorItem {
  readonly picture: Picture;
  /** `faceSize` above the generator's own: with detail. */
  readonly face: TrackedFace;
  readonly z: Float32Array;
  readonly slot: FaceSlotViews;
}

export type GeneratorOutcome = 'generated' | 'rejected';

interface Inputs {
  readonly context: Float32Array;
  readonly mask: Float32Array;
  readonly landmarks: Float32Array;
  readonly guide: Float32Array;
  readonly z: Float32Array;
}

/** Builds the network's inputs from the picture, blank inside the mask, and writes crop, mask and face into the slot. */
export class Generator {
  readonly faceSize: number;
  readonly provider: string;
  readonly #session: InferenceSession;
  readonly #sampler = new PictureSampler(CROP_SIZE, CROP_SIZE);
  readonly #pyramid = new HalvedPlanes();
  readonly #rgb = new Float32Array(3 * AREA);
  readonly #pixels = new FacePixels();
  readonly #inputs = new Map<number, Inputs>();

  readonly #adapter: ModelAdapter | undefined;
  readonly #detail: Detail | undefined;

  private constructor(
    session: InferenceSession,
    provider: string,
    adapter: ModelAdapter | undefined,
    detail: Detail | undefined,
  ) {
    this.#session = session;
    this.provider = provider;
    this.#adapter = adapter;
    this.#detail = detail;
    const shape = session.outputMetadata.find((o) => o.name === (adapter?.output.name ?? 'face'));
    this.faceSize = shape?.isTensor ? Number(shape.shape.at(-1)) : CROP_SIZE;
  }

  /** Side of a face with detail, which follows only the project's own network of 128². */
  get detailSize(): number | undefined {
    return this.#detail && !this.#adapter && this.faceSize === CROP_SIZE ? DETAIL_SIZE : undefined;
  }

  /** @param detailPath the network that draws faces of 256² out of this one's */
  static async create(path: string, options: SessionOptions = {}, detailPath?: string): Promise<Generator> {
    const detail = detailPath === undefined ? undefined : await Detail.create(detailPath, options);
    const { session, provider } = await createSession(path, options);
    const generator = new Generator(session, provider, readAdapter(path), detail);
    const { faceSize } = generator;
    if (!(faceSize > 0 && faceSize <= MAX_FACE_SIZE && faceSize % 16 === 0)) {
      const what = `the generator ${path} draws faces ${faceSize} pixels wide`;
      throw new UnderstudyError(ExitCode.model, what, `give one that draws 16 to ${MAX_FACE_SIZE}, in steps of 16`);
    }
    return generator;
  }

  /** One outcome per item. `rejected`: the network's answer is not a picture, and the slot's face must not be used. */
  async run(items: readonly GeneratorItem[]): Promise<GeneratorOutcome[]> {
    const n = items.length;
    const inputs = this.#buffers(n);
    const exposures = items.map((item, i) => this.#prepare(item, inputs, i));
    if (this.#adapter) return this.#runForeign(this.#adapter, items, inputs);
    const result = await this.#session.run({
      context: new Tensor('float32', inputs.context, [n, 3, CROP_SIZE, CROP_SIZE]),
      mask: new Tensor('float32', inputs.mask, [n, 1, CROP_SIZE, CROP_SIZE]),
      landmarks: new Tensor('float32', inputs.landmarks, [n, LANDMARK_COUNT, 2]),
      guide: new Tensor('float32', inputs.guide, [n, 3, 4, 4]),
      z: new Tensor('float32', inputs.z, [n, IDENTITY_SIZE]),
    });
    const faces = result.face!.data as Float32Array;
    const outcomes: GeneratorOutcome[] = [];
    for (const [i, item] of items.entries()) {
      const face = part(faces, i, n);
      const large = this.#detail && this.detailSize === item.face.faceSize;
      const { context, mask, landmarks } = inputs;
      const given = { face, context: part(context, i, n), mask: part(mask, i, n), landmarks: part(landmarks, i, n) };
      // Detail on what is no face would make it pass for one.
      const drawn = large && this.#pixels.isFace(face) ? await this.#detail.draw(given) : face;
      outcomes.push(writeFace(drawn, item.slot.face, this.#pixels, exposures[i]));
    }
    return outcomes;
  }

  /** A model of somebody else's, one face at a time: few exports have a free batch size. */
  async #runForeign({ output, ...adapter }: ModelAdapter, items: readonly GeneratorItem[], inputs: Inputs) {
    const outcomes: GeneratorOutcome[] = [];
    const n = items.length;
    for (const [i, item] of items.entries()) {
      const one = {
        context: part(inputs.context, i, n),
        mask: part(inputs.mask, i, n),
        landmarks: part(inputs.landmarks, i, n),
        z: part(inputs.z, i, n),
      };
      const feeds = adaptedInputs({ ...adapter, output }, one, 1);
      const result = await this.#session.run(
        Object.fromEntries(feeds.map(({ name, data, dims }) => [name, new Tensor('float32', data, dims)])),
      );
      const face = (result[output.name]!.data as Float32Array).map((v) => v * output.scale + output.offset);
      outcomes.push(writeFace(face, item.slot.face, this.#pixels));
    }
    return outcomes;
  }

  #buffers(n: number): Inputs {
    let inputs = this.#inputs.get(n);
    if (!inputs) {
      inputs = {
        context: new Float32Array(n * 3 * AREA),
        mask: new Float32Array(n * AREA),
        landmarks: new Float32Array(n * LANDMARK_COUNT * 2),
        guide: new Float32Array(n * 48),
        z: new Float32Array(n * IDENTITY_SIZE),
      };
      this.#inputs.set(n, inputs);
    }
    return inputs;
  }

  /** Of a large face the crop is sampled from halved planes: a quarter of the samples, each the mean of four. */
  #halved(picture: Picture, { a, b, d, e }: Affine): Picture {
    if (Math.min(Math.hypot(a, d), Math.hypot(b, e)) < 2) return picture;
    return { ...picture, pyramid: this.#pyramid.load(picture.planes, picture.format) };
  }

  #prepare(item: GeneratorItem, inputs: Inputs, i: number): Exposure | undefined {
    const { face, slot } = item;
    const { toPicture, driven, own } = face;
    if (!toPicture || !driven || !own) throw new Error(`FaceTrack ${face.trackId} came without points`);
    this.#sampler.rgb(this.#halved(item.picture, toPicture), toPicture, this.#rgb, 127.5, 1 / 127.5);
    faceMask(face, slot.mask);
    this.#pixels.write(this.#rgb, slot.crop);
    // A model of somebody else's gets the picture as it is.
    const exposure = this.#adapter ? undefined : exposureOf(this.#rgb);
    if (exposure) expose(this.#rgb, exposure);
    colourGuide(this.#rgb, slot.mask, inputs.guide.subarray(i * 48, (i + 1) * 48));
    const context = inputs.context.subarray(i * 3 * AREA, (i + 1) * 3 * AREA);
    const mask = inputs.mask.subarray(i * AREA, (i + 1) * AREA);
    for (let at = 0; at < AREA; at += CROP_SIZE) blankRow(this.#rgb, slot.mask, at, context, mask);
    inputs.landmarks.set(driven.subarray(0, LANDMARK_COUNT * 2), i * LANDMARK_COUNT * 2);
    inputs.z.set(item.z, i * IDENTITY_SIZE);
    return exposure;
  }
}

/** What belongs to one of `n` items. */
function part(data: Float32Array, i: number, n: number): Float32Array {
  return data.subarray((i * data.length) / n, ((i + 1) * data.length) / n);
}

// What follows goes over pixels a row at a time: V8 compiles for good what is called often. A loop that is one call a face runs half interpreted
// for ever, and makes garbage of every number.

/** A row of the crop, blank where it is masked, and the mask as the network takes it. */
function blankRow(rgb: Float32Array, masked: Uint8Array, at: number, context: Float32Array, mask: Float32Array): void {
  for (let p = at; p < at + CROP_SIZE; p++) {
    const shown = masked[p] === 0 ? 1 : 0;
    mask[p] = 1 - shown;
    context[p] = rgb[p]! * shown;
    context[AREA + p] = rgb[AREA + p]! * shown;
    context[2 * AREA + p] = rgb[2 * AREA + p]! * shown;
  }
}

/** Refuses NaN, flat colour, and a face of another size than the slot is for. */
function writeFace(face: Float32Array, out: Uint8Array, pixels: FacePixels, exposure?: Exposure): GeneratorOutcome {
  if (4 * face.length !== 3 * out.length) return 'rejected';
  const { gain, offset } = exposure ?? { gain: 1, offset: 0 };
  if (!exposure || (gain === 1 && offset === 0)) return pixels.write(face, out) ? 'generated' : 'rejected';
  // Judged as the network drew it: what is dark varies less.
  const outcome = pixels.isFace(face) ? 'generated' : 'rejected';
  unexpose(face, exposure);
  pixels.write(face, out);
  return outcome;
}
