import type { Composer } from './composer.ts';
import type { Texture } from './texture.ts';

/**
 * Side of the pyramid's coarsest level, whatever the face's size: a finer base would bring the original's features back
 * (at 16² 3 % of the people are accepted as themselves, at 32² 25 %).
 */
export const BASE_SIZE = 8;

/** Side to which the base is expanded level by level: from there on it is so smooth that linear interpolation is the same to half a step of 255 at worst. */
const SMOOTH_SIZE = 64;

/** Sides of the levels below the face's own, finest first: log2(size / 8) of them. */
export function levelSizes(faceSize: number): number[] {
  const sizes: number[] = [];
  for (let size = faceSize / 2; size >= BASE_SIZE; size /= 2) sizes.push(size);
  return sizes;
}

/**
 * Substitution of the low frequencies (paper III-B2): finer residuals from the relit face, the base from the original.
 * The pyramid being linear, that is the relit face plus the expanded base of the difference of the two.
 */
export class PyramidBase {
  readonly #composer: Composer;
  readonly #down: readonly Texture[];
  readonly #up: readonly Texture[];
  /** An empty base: leaves the face as it is. */
  readonly nothing: Texture;

  constructor(composer: Composer, faceSize: number) {
    this.#composer = composer;
    const level = (size: number) => composer.texture(size, size, 'rgba32f', { filter: 'linear' });
    const sizes = levelSizes(faceSize);
    this.#down = sizes.map(level);
    this.#up = sizes
      .slice(0, -1)
      .filter((size) => size <= SMOOTH_SIZE)
      .reverse()
      .map(level);
    this.nothing = composer.texture(1, 1, 'rgba8');
    this.nothing.upload(new Uint8Array(4));
  }

  /** Base of (crop − lit), expanded to 64² or half the face's size; sampling it linearly is the last expansion. */
  difference(crop: Texture, lit: Texture): Texture {
    const [finest, ...coarser] = this.#down as [Texture, ...Texture[]];
    this.#composer.draw('difference', finest, { textures: { crop, lit }, floats: { size: finest.width } });
    let source = finest;
    for (const target of coarser) {
      this.#composer.draw('reduce', target, { textures: { source }, floats: { size: target.width } });
      source = target;
    }
    for (const target of this.#up) {
      this.#composer.draw('expand', target, { textures: { source }, floats: { size: target.width } });
      source = target;
    }
    return source;
  }
}
