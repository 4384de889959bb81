import type { Composer } from './composer.ts';
import { advance, newState, type RunningState, releaseState } from './running-state.ts';
import type { Texture } from './texture.ts';

/** Haze and weak light leave features two fifths of their contrast, and blurred ones have some fifth less than sharp ones. */
export const LEAST_CONTRAST = 0.4;
export const MOST_CONTRAST = 1.25;
const CELLS = 16;

/** The gain of one FaceTrack's contrast (1×1). */
export type ContrastState = RunningState;

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
    return newState(this.#composer, [1, 1, 1, 1]);
  }

  release(state: ContrastState): void {
    releaseState(this.#composer, state);
  }

  /** @param relit the face has the original's light */
  update(state: ContrastState, inputs: ContrastInputs, relit: boolean): void {
    this.#composer.draw('contrast-sums', this.#sums, { textures: { ...inputs }, floats: { relit: relit ? 1 : 0 } });
    advance(this.#composer, state, 'contrast-state', {
      textures: { sums: this.#sums },
      floats: { least: LEAST_CONTRAST, most: MOST_CONTRAST },
    });
  }
}
