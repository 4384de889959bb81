import { COLOUR_RATE } from './chroma-transfer.ts';
import type { Composer } from './composer.ts';
import type { Texture } from './texture.ts';

/** Haze and weak light leave features two fifths of their contrast, and blurred ones have some fifth less than sharp ones. */
export const LEAST_CONTRAST = 0.4;
export const MOST_CONTRAST = 1.25;
const CELLS = 16;

/** The gain of one FaceTrack's contrast (1×1), kept on the GPU from frame to frame. */
export interface ContrastState {
  texture: Texture;
  spare: Texture;
  begun: boolean;
}

export interface ContrastInputs {
  readonly crop: Texture;
  readonly lit: Texture;
  readonly base: Texture;
  readonly skin: Texture;
  readonly light: Texture;
}

/**
 * Features of the generated face stand out from the light on it as much as the original's do: the generator knows faces under good light and gives
 * one behind haze the eyes and shadows of a portrait. One number of the original, which says nothing of where its features are.
 */
export class Contrast {
  readonly #composer: Composer;
  readonly #sums: Texture;

  constructor(composer: Composer) {
    this.#composer = composer;
    this.#sums = composer.texture(CELLS, CELLS, 'rgba32f');
  }

  newState(): ContrastState {
    const neutral = () => {
      const texture = this.#composer.texture(1, 1, 'rgba32f');
      texture.upload(Float32Array.of(1, 1, 1, 1));
      return texture;
    };
    return { texture: neutral(), spare: neutral(), begun: false };
  }

  release(state: ContrastState): void {
    this.#composer.release(state.texture);
    this.#composer.release(state.spare);
  }

  /** @param relit the face has the original's light */
  update(state: ContrastState, inputs: ContrastInputs, relit: boolean): void {
    this.#composer.draw('contrast-sums', this.#sums, { textures: { ...inputs }, floats: { relit: relit ? 1 : 0 } });
    this.#composer.draw('contrast-state', state.spare, {
      textures: { sums: this.#sums, previous: state.texture },
      floats: { rate: state.begun ? COLOUR_RATE : 1, least: LEAST_CONTRAST, most: MOST_CONTRAST },
    });
    [state.texture, state.spare] = [state.spare, state.texture];
    state.begun = true;
  }
}
