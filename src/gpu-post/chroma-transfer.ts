import type { Composer } from './composer.ts';
import { advance, newState, type RunningState, releaseState } from './running-state.ts';
import type { Texture } from './texture.ts';

const CELLS = 16;

/** Scale and offset of Cb and Cr of one FaceTrack, and the mean and deviation of its generated skin (2×1). */
export type ColourState = RunningState;

export interface ChromaInputs {
  readonly crop: Texture;
  readonly lit: Texture;
  readonly base: Texture;
  readonly skin: Texture;
  readonly light: Texture;
}

/** Mean, then deviation about it (one pass of squares would lose the difference), over skin only; nothing is read back. */
export class ChromaTransfer {
  readonly #composer: Composer;
  readonly #sums: Texture;
  readonly #squares: Texture;
  readonly #mean: Texture;

  constructor(composer: Composer) {
    this.#composer = composer;
    this.#sums = composer.texture(2 * CELLS, CELLS, 'rgba32f');
    this.#squares = composer.texture(CELLS, CELLS, 'rgba32f');
    this.#mean = composer.texture(1, 1, 'rgba32f');
    this.#mean.upload(new Float32Array(4));
  }

  newState(): ColourState {
    return newState(this.#composer, [1, 1, 0, 0, 0, 0, 1, 1]);
  }

  release(state: ColourState): void {
    releaseState(this.#composer, state);
  }

  /** @param relit the face has the original's light, so that "dark" means the same for both */
  update(state: ColourState, inputs: ChromaInputs, relit: boolean): void {
    const draw: Composer['draw'] = (...pass) => this.#composer.draw(...pass);
    const [sums, squares, mean] = [this.#sums, this.#squares, this.#mean];
    const flag = relit ? 1 : 0;
    draw('sums', sums, { textures: { ...inputs, mean }, floats: { about: 0, relit: flag } });
    draw('mean', mean, { textures: { sums } });
    draw('sums', squares, { textures: { ...inputs, mean }, floats: { about: 1, relit: flag } });
    advance(this.#composer, state, 'chroma-state', { textures: { sums, squares, mean } });
  }
}
