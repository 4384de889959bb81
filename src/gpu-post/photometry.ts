import type { FaceSlotViews } from '../core/face-slot.ts';
import { CROP_SIZE } from '../core/face-track.ts';
import { ChromaTransfer, type ColourState } from './chroma-transfer.ts';
import type { Composer } from './composer.ts';
import { eyeDistance, featureRegions } from './feature-ellipses.ts';
import { PyramidBase } from './pyramid-base.ts';
import { type Extent, softenMask } from './soft-mask.ts';
import type { Texture } from './texture.ts';

export interface PhotometryOptions {
  readonly relight: boolean;
  /** Default true. */
  readonly pyramid?: boolean;
  readonly colour: boolean;
  /** Width of the relighting's low-pass, inter-ocular distances; below 0.24 the original's features come back. */
  readonly sigmaInterocular: number;
}

export const MIN_SIGMA_INTEROCULAR = 0.24;
/** Side of the textures that hold smooth fields. */
const FIELD = 32;
const SKIN = 64;

/** The passes from the generator's answer to the face as it is drawn. Textures are shared by all faces in turn. */
export class Photometry {
  readonly #composer: Composer;
  readonly #options: PhotometryOptions;
  readonly #size: number;
  readonly #crop: Texture;
  readonly #mask: Texture;
  readonly #face: Texture;
  readonly #skin: Texture;
  readonly #fields: readonly [Texture, Texture, Texture];
  readonly #lit: Texture;
  readonly #base: PyramidBase;
  readonly #chroma: ChromaTransfer;
  readonly #softMask = new Uint8Array(2 * CROP_SIZE * CROP_SIZE);

  constructor(composer: Composer, faceSize: number, options: PhotometryOptions) {
    this.#composer = composer;
    this.#options = options;
    this.#size = faceSize;
    const linear = { filter: 'linear' } as const;
    const field = () => composer.texture(FIELD, FIELD, 'rgba32f', linear);
    this.#crop = composer.texture(CROP_SIZE, CROP_SIZE, 'rgba8', linear);
    this.#mask = composer.texture(CROP_SIZE, CROP_SIZE, 'rg8', linear);
    this.#face = composer.texture(faceSize, faceSize, 'rgba8', linear);
    this.#skin = composer.texture(SKIN, SKIN, 'rgba8', linear);
    this.#fields = [field(), field(), field()];
    this.#lit = composer.texture(faceSize, faceSize, 'rgba8', linear);
    this.#base = new PyramidBase(composer, faceSize);
    this.#chroma = new ChromaTransfer(composer);
  }

  /** The colour state of a new FaceTrack. */
  newState(): ColourState {
    return this.#chroma.newState();
  }

  release(state: ColourState): void {
    this.#chroma.release(state);
  }

  /** Writes the finished face, alpha included, into `out`, and brings the FaceTrack's colour state up to date. */
  run(
    slot: FaceSlotViews,
    own: Float32Array,
    driven: Float32Array,
    state: ColourState,
    out: Texture,
  ): Extent | undefined {
    const extent = softenMask(slot.mask, this.#softMask);
    if (!extent) return undefined;
    this.#crop.upload(slot.crop);
    this.#mask.upload(this.#softMask);
    this.#face.upload(slot.face);
    const size = this.#size;
    const [crop, mask, skin] = [this.#crop, this.#mask, this.#skin];
    const { browY, ...ellipses } = featureRegions(own, driven);
    this.#composer.draw('skin', skin, { textures: { mask }, floats: { ...ellipses, browY } });
    this.#composer.draw('light', this.#fields[0], { textures: { crop, face: this.#face, skin } });
    const sigma = Math.max(MIN_SIGMA_INTEROCULAR, this.#options.sigmaInterocular) * eyeDistance(own);
    const light = this.#blur(sigma / CROP_SIZE);
    let lit = this.#face;
    if (this.#options.relight) {
      lit = this.#lit;
      this.#composer.draw('relight', lit, { textures: { face: this.#face, light }, floats: { size } });
    }
    const base = this.#options.pyramid !== false ? this.#base.difference(crop, lit) : this.#base.nothing;
    if (this.#options.colour) {
      const relit = this.#options.relight || this.#options.pyramid !== false;
      this.#chroma.update(state, { crop, lit, base, skin, light }, relit);
    }
    this.#composer.draw('colour', out, { textures: { lit, base, mask, state: state.texture }, floats: { size } });
    return extent;
  }

  /** The first field, blurred; overwrites the second and third. @param sigma in texture coordinates */
  #blur(sigma: number): Texture {
    const [source, across, blurred] = this.#fields;
    this.#composer.draw('blur', across, { textures: { source }, floats: { direction: [sigma, 0] } });
    this.#composer.draw('blur', blurred, { textures: { source: across }, floats: { direction: [0, sigma] } });
    return blurred;
  }
}
