import type { Composer } from './composer.ts';
import type { Extent } from './soft-mask.ts';
import type { Texture } from './texture.ts';

/** Share of a new frame in a face at rest: about three frames until a change below the threshold has arrived. */
export const STEADY_SHARE = 0.35;

/** The last steadied face of one FaceTrack. */
export interface SteadyState {
  texture: Texture;
  spare: Texture;
  begun: boolean;
}

/** Averages the generator's flicker on a face at rest over time. */
export class SteadyFace {
  readonly #composer: Composer;
  readonly #size: number;

  /** @param size side of the generated face, pixels */
  constructor(composer: Composer, size: number) {
    this.#composer = composer;
    this.#size = size;
  }

  newState(): SteadyState {
    const texture = () => this.#composer.texture(this.#size, this.#size, 'rgba8', { filter: 'linear' });
    return { texture: texture(), spare: texture(), begun: false };
  }

  release(state: SteadyState): void {
    this.#composer.release(state.texture);
    this.#composer.release(state.spare);
  }

  /**
   * @param face the new face, of which `pixels` are the same as RGBA @param area texels that are shown: elsewhere it stays as it is
   * @returns the steadied face, valid until the next call with this state
   */
  update(state: SteadyState, face: Texture, pixels: Uint8Array, area: Extent): Texture {
    // The first face of a FaceTrack has nothing before it to lean on.
    const least = state.begun ? STEADY_SHARE : 1;
    const textures = { face, previous: state.texture };
    state.spare.upload(pixels);
    this.#composer.draw('steady', state.spare, { textures, floats: { size: this.#size, least } }, area);
    [state.texture, state.spare] = [state.spare, state.texture];
    state.begun = true;
    return state.texture;
  }
}
