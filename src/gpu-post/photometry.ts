import type { FaceSlotViews } from '../core/face-slot.ts';
import { type Affine, CROP_SIZE } from '../core/face-track.ts';
import { ChromaTransfer, type ColourState } from './chroma-transfer.ts';
import type { Composer } from './composer.ts';
import { Contrast, type ContrastState } from './contrast.ts';
import { eyeDistance, featureRegions } from './feature-ellipses.ts';
import type { PhotometryOptions } from './photometry-options.ts';
import { PyramidBase } from './pyramid-base.ts';
import { type Extent, softenMask } from './soft-mask.ts';
import { SteadyFace, type SteadyState } from './steady-face.ts';
import { commonSkin, markKnown, type Place, Surroundings } from './surroundings.ts';
import type { Texture } from './texture.ts';

/** Everything that one FaceTrack carries from frame to frame. */
export type FaceState = ColourState & { readonly steady: SteadyState; readonly contrast: ContrastState };

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
  #shading: Texture | undefined;
  readonly #base: PyramidBase;
  readonly #chroma: ChromaTransfer;
  readonly #contrast: Contrast;
  readonly #steady: SteadyFace;
  readonly #aroundTexture: Texture;
  readonly #surroundings = new Surroundings();
  /** RGBA 128², what lies beside the face and, in A, how far inside its outline a pixel is: of the last run. */
  readonly around = new Uint8Array(4 * CROP_SIZE * CROP_SIZE);
  /** 128², 255 where the crop shows what may be shown: of the last run. */
  readonly known = new Uint8Array(CROP_SIZE * CROP_SIZE);
  /** 128², 255 where original and generated face both are: of the last run. */
  readonly common = new Uint8Array(CROP_SIZE * CROP_SIZE);
  readonly #softMask = new Uint8Array(2 * CROP_SIZE * CROP_SIZE);

  constructor(composer: Composer, faceSize: number, options: PhotometryOptions) {
    this.#composer = composer;
    this.#options = options;
    this.#size = faceSize;
    const linear = { filter: 'linear' } as const;
    const field = () => composer.texture(FIELD, FIELD, 'rgba32f', linear);
    this.#crop = composer.texture(CROP_SIZE, CROP_SIZE, 'rgba8', linear);
    this.#mask = composer.texture(CROP_SIZE, CROP_SIZE, 'rg8', linear);
    this.#aroundTexture = composer.texture(CROP_SIZE, CROP_SIZE, 'rgba8', linear);
    this.#face = composer.texture(faceSize, faceSize, 'rgba8', linear);
    this.#skin = composer.texture(SKIN, SKIN, 'rgba8', linear);
    this.#fields = [field(), field(), field()];
    this.#lit = composer.texture(faceSize, faceSize, 'rgba8', linear);
    this.#base = new PyramidBase(composer, faceSize);
    this.#chroma = new ChromaTransfer(composer);
    this.#contrast = new Contrast(composer);
    this.#steady = new SteadyFace(composer, faceSize);
  }

  /** What is kept of a new FaceTrack from frame to frame. */
  newState(): FaceState {
    return { ...this.#chroma.newState(), steady: this.#steady.newState(), contrast: this.#contrast.newState() };
  }

  release(state: FaceState): void {
    this.#chroma.release(state);
    this.#steady.release(state.steady);
    this.#contrast.release(state.contrast);
  }

  /** Writes the finished face, alpha included, into `out`, and brings the FaceTrack's state up to date. */
  run(
    slot: FaceSlotViews,
    own: Float32Array,
    driven: Float32Array,
    state: FaceState,
    out: Texture,
    place: Place,
  ): Extent | undefined {
    commonSkin(own, driven, this.common);
    const extent = softenMask(slot.mask, this.common, this.#softMask);
    if (!extent) return undefined;
    markKnown(slot.mask, place, this.known);
    this.#surroundings.fill(slot.crop, this.known, slot.mask, driven, this.around);
    this.#aroundTexture.upload(this.around);
    this.#crop.upload(slot.crop);
    this.#mask.upload(this.#softMask);
    this.#face.upload(slot.face);
    const size = this.#size;
    const area = texels(extent, size, place.toPicture);
    const isSteady = this.#options.steady !== false;
    const face = isSteady ? this.#steady.update(state.steady, this.#face, slot.face, area) : this.#face;
    const [crop, mask, skin, around] = [this.#crop, this.#mask, this.#skin, this.#aroundTexture];
    const { browY, ...ellipses } = featureRegions(own, driven);
    this.#composer.draw('skin', skin, { textures: { mask }, floats: { ...ellipses, browY } });
    const light = this.#light(face, (this.#options.sigmaInterocular * eyeDistance(own)) / CROP_SIZE);
    let lit = face;
    if (this.#options.relight) {
      lit = this.#lit;
      this.#composer.draw('relight', lit, { textures: { face, light }, floats: { size } });
    }
    const base = this.#options.pyramid !== false ? this.#base.difference(crop, lit) : this.#base.nothing;
    const relit = this.#options.relight || this.#options.pyramid !== false;
    if (this.#options.colour) {
      this.#chroma.update(state, { crop, lit, base, skin, light }, relit);
    }
    if (this.#options.contrast !== false)
      this.#contrast.update(state.contrast, { crop, lit, base, skin, light }, relit);
    const textures = { lit, base, mask, around, light, state: state.texture, contrast: state.contrast.texture };
    const floats = { size, browY, relit: Number(relit), transfer: Number(this.#options.colour) };
    // What an earlier face left beside this one must not count as drawn.
    this.#composer.clear(out);
    this.#composer.draw('colour', out, { textures, floats }, area);
    return extent;
  }

  /** Low-passed log luminance of original (red) and generated face (green), both times blue. @param sigma in texture coordinates */
  #light(face: Texture, sigma: number): Texture {
    const crop = this.#crop;
    if (this.#options.shading === 'bilateral') {
      this.#shading ??= this.#composer.texture(CROP_SIZE, CROP_SIZE, 'rgba32f', { filter: 'linear' });
      const range = this.#options.sigmaRange ?? 1;
      this.#composer.draw('bilateral', this.#shading, { textures: { crop, face }, floats: { sigma, range } });
      return this.#shading;
    }
    const [weighted, across, blurred] = this.#fields;
    this.#composer.draw('light', weighted, { textures: { crop, face, skin: this.#skin } });
    this.#composer.draw('blur', across, { textures: { source: weighted }, floats: { direction: [sigma, 0] } });
    this.#composer.draw('blur', blurred, { textures: { source: across }, floats: { direction: [0, sigma] } });
    return blurred;
  }
}

/** What of a face is drawn: where its alpha is not 0, and as far around as the colour of a texel tells on one that is (`FacePainter`). */
function texels({ x0, y0, x1, y1 }: Extent, size: number, { a, b, d, e }: Affine): Extent {
  const scale = Math.sqrt(Math.abs(a * e - b * d));
  const margin = 2 + 1.5 / Math.min(1, scale);
  const from = (at: number) => Math.max(0, Math.floor(((at - margin) * size) / CROP_SIZE));
  const to = (at: number) => Math.min(size - 1, Math.ceil(((at + 1 + margin) * size) / CROP_SIZE));
  return { x0: from(x0), y0: from(y0), x1: to(x1), y1: to(y1) };
}
