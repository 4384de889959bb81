import type { FaceSlotViews } from '../core/face-slot.ts';
import { CROP_SIZE } from '../core/face-track.ts';
import type { Composer } from './composer.ts';
import type { Texture } from './texture.ts';

export interface PhotometryOptions {
  readonly relight: boolean;
  readonly colour: boolean;
  /** Width of the relighting's low-pass, inter-ocular distances; below 0.24 the original's features come back. */
  readonly sigmaInterocular: number;
}

export const MIN_SIGMA_INTEROCULAR = 0.24;
/** Share of a new frame's colour statistics in the running ones. */
const COLOUR_RATE = 0.15;
const GRID = CROP_SIZE / 8;

/** Scale and offset of Cb and Cr, smoothed over the life of a FaceTrack. */
export type ColourState = Float64Array;

/** The passes from the generator's answer to the face as it is drawn. Textures are shared by all faces in turn. */
export class Photometry {
  readonly #composer: Composer;
  readonly #options: PhotometryOptions;
  readonly #size: number;
  readonly #crop: Texture;
  readonly #mask: Texture;
  readonly #face: Texture;
  readonly #weighted: Texture;
  readonly #across: Texture;
  readonly #blurred: Texture;
  readonly #relit: Texture;
  readonly #sums: Texture;
  readonly #read = new Float32Array(GRID * GRID * 4);

  constructor(composer: Composer, faceSize: number, options: PhotometryOptions) {
    this.#composer = composer;
    this.#options = options;
    this.#size = faceSize;
    const linear = { filter: 'linear' } as const;
    this.#crop = composer.texture(CROP_SIZE, CROP_SIZE, 'rgba8', linear);
    this.#mask = composer.texture(CROP_SIZE, CROP_SIZE, 'r8', linear);
    this.#face = composer.texture(faceSize, faceSize, 'rgba8', linear);
    this.#weighted = composer.texture(CROP_SIZE, CROP_SIZE, 'rgba32f', linear);
    this.#across = composer.texture(CROP_SIZE, CROP_SIZE, 'rgba32f', linear);
    this.#blurred = composer.texture(CROP_SIZE, CROP_SIZE, 'rgba32f', linear);
    this.#relit = composer.texture(faceSize, faceSize, 'rgba8', linear);
    this.#sums = composer.texture(GRID, GRID, 'rgba32f');
  }

  /** Writes the finished face, alpha included, into `out`; returns the FaceTrack's colour state. */
  run(
    slot: FaceSlotViews,
    own: Float32Array,
    driven: Float32Array,
    state: ColourState | undefined,
    out: Texture,
  ): ColourState {
    const draw: Composer['draw'] = (...pass) => this.#composer.draw(...pass);
    this.#crop.upload(slot.crop);
    this.#mask.upload(slot.mask);
    this.#face.upload(slot.face);
    const features = featureEllipses(own, driven);
    const inputs = { crop: this.#crop, face: this.#face, mask: this.#mask };
    draw('prepare', this.#weighted, {
      textures: inputs,
      floats: { leftEye: features[0]!, rightEye: features[1]!, mouth: features[2]! },
    });
    let lit = this.#face;
    if (this.#options.relight) {
      const sigma = (Math.max(MIN_SIGMA_INTEROCULAR, this.#options.sigmaInterocular) * eyeDistance(own)) / CROP_SIZE;
      draw('blur', this.#across, { textures: { source: this.#weighted }, floats: { direction: [sigma, 0] } });
      draw('blur', this.#blurred, { textures: { source: this.#across }, floats: { direction: [0, sigma] } });
      const textures = { face: this.#face, blurred: this.#blurred };
      draw('relight', this.#relit, { textures, floats: { size: this.#size, strength: 1 } });
      lit = this.#relit;
    }
    const colour = this.#options.colour ? this.#statistics(lit, state) : Float64Array.of(1, 1, 0, 0);
    draw('colour', out, {
      textures: { face: lit, mask: this.#mask },
      floats: { size: this.#size, scaleOffset: [...colour] },
    });
    return colour;
  }

  /** Mean, then variance about it (one pass of squares would lose the difference), over skin only. */
  #statistics(lit: Texture, state: ColourState | undefined): ColourState {
    const textures = { crop: this.#crop, face: lit, weights: this.#weighted };
    const sum = (what: number, mean: number[]) => {
      this.#composer.draw('moments', this.#sums, { textures, ints: { what }, floats: { mean } });
      this.#sums.read(this.#read);
      const total = [0, 0, 0, 0];
      for (let i = 0; i < this.#read.length; i++) total[i % 4]! += this.#read[i]!;
      return total;
    };
    const zero = [0, 0, 0, 0];
    const weight = Math.max(1, sum(2, zero)[0]!);
    const mean = sum(0, zero).map((x) => x / weight);
    const sd = sum(1, mean).map((x) => Math.sqrt(x / weight));
    const now = new Float64Array(4);
    for (let c = 0; c < 2; c++) {
      const scale = Math.max(0.5, Math.min(2, sd[c]! / Math.max(1e-4, sd[c + 2]!)));
      now[c] = scale;
      now[c + 2] = mean[c]! - mean[c + 2]! * scale;
    }
    if (!now.every(Number.isFinite)) return state ?? Float64Array.of(1, 1, 0, 0);
    return state ? now.map((x, i) => state[i]! + COLOUR_RATE * (x - state[i]!)) : now;
  }
}

function eyeDistance(points: Float32Array): number {
  const centre = (from: number, axis: number) => {
    let sum = 0;
    for (let i = from; i < from + 6; i++) sum += points[2 * i + axis]!;
    return sum / 6;
  };
  return Math.hypot(centre(42, 0) - centre(36, 0), centre(42, 1) - centre(36, 1));
}

/** Ellipses over eye with brow, twice, and mouth, around the points of both faces: centre and radii. */
function featureEllipses(own: Float32Array, driven: Float32Array): number[][] {
  const groups = [
    [17, 18, 19, 20, 21, 36, 37, 38, 39, 40, 41],
    [22, 23, 24, 25, 26, 42, 43, 44, 45, 46, 47],
    [48, 49, 50, 51, 52, 53, 54, 55, 56, 57, 58, 59],
  ];
  return groups.map((group) => {
    let [x0, y0, x1, y1] = [
      Number.POSITIVE_INFINITY,
      Number.POSITIVE_INFINITY,
      Number.NEGATIVE_INFINITY,
      Number.NEGATIVE_INFINITY,
    ];
    for (const points of [own, driven]) {
      for (const i of group) {
        x0 = Math.min(x0, points[2 * i]!);
        x1 = Math.max(x1, points[2 * i]!);
        y0 = Math.min(y0, points[2 * i + 1]!);
        y1 = Math.max(y1, points[2 * i + 1]!);
      }
    }
    return [(x0 + x1) / 2, (y0 + y1) / 2, (x1 - x0) * 0.62 + 2, (y1 - y0) * 0.62 + 3];
  });
}
