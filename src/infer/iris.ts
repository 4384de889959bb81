import type { Picture, PupilFinder, SquareCrop } from '../core/vision.ts';
import { PictureSampler, squareSampling } from './sample.ts';

const SIZE = 32;
/** Radius of the disc that is compared with its surroundings, over the crop's side (an iris is 11.7 of 30 mm). */
const RADIUS = 0.17;
const MIN_CONTRAST = 10;

/**
 * The pupil as the disc of the eye crop that is darkest against the ring around it (after Daugman's integro-differential
 * operator, 1993). No network: costs 0.05 ms, and says "unknown" where there is no contrast.
 */
export class IrisFinder implements PupilFinder {
  readonly #sampler = new PictureSampler(SIZE, SIZE);

  async find(
    picture: Picture,
    eye: SquareCrop,
    _side: 'left' | 'right',
  ): Promise<{ x: number; y: number } | undefined> {
    const sampling = squareSampling(eye, SIZE);
    const gray = this.#sampler.gray(picture, sampling);
    const radius = RADIUS * SIZE;
    let best = { contrast: MIN_CONTRAST, u: 0, v: 0 };
    for (let v = SIZE * 0.34; v <= SIZE * 0.66; v++) {
      for (let u = SIZE * 0.22; u <= SIZE * 0.78; u++) {
        const contrast = discContrast(gray, u, v, radius);
        if (contrast > best.contrast) best = { contrast, u, v };
      }
    }
    if (best.contrast === MIN_CONTRAST) return undefined;
    const { u, v } = best;
    return { x: sampling.a * u + sampling.b * v + sampling.c, y: sampling.d * u + sampling.e * v + sampling.f };
  }
}

/** Mean of the ring's left and right quarters (lids cover the others) minus the mean of the disc. */
function discContrast(gray: Float32Array, u: number, v: number, radius: number): number {
  let disc = 0;
  let discN = 0;
  let ring = 0;
  let ringN = 0;
  const outer = radius * 1.6;
  for (let y = Math.ceil(v - radius); y <= v + radius; y++) {
    for (let x = Math.ceil(u - outer); x <= u + outer; x++) {
      if (x < 0 || y < 0 || x >= SIZE || y >= SIZE) continue;
      const r2 = (x - u) ** 2 + (y - v) ** 2;
      const value = gray[y * SIZE + x]!;
      if (r2 <= radius * radius) {
        disc += value;
        discN++;
      } else if (Math.abs(y - v) < 0.7 * Math.abs(x - u)) {
        ring += value;
        ringN++;
      }
    }
  }
  return ringN && discN ? ring / ringN - disc / discN : 0;
}
