import type { Composer } from './composer.ts';
import type { ProgramInputs } from './program.ts';
import type { Texture } from './texture.ts';

/** Share of a new frame's statistics in the running ones: about six frames until a change of light has arrived. */
export const COLOUR_RATE = 0.15;

/** Numbers of one FaceTrack (a texture one texel high), kept on the GPU from frame to frame. */
export interface RunningState {
  texture: Texture;
  spare: Texture;
  /** False until the first frame's statistics are in. */
  begun: boolean;
}

/** @param neutral four numbers a texel, for a face of which nothing is known yet */
export function newState(composer: Composer, neutral: readonly number[]): RunningState {
  const texture = () => {
    const made = composer.texture(neutral.length / 4, 1, 'rgba32f');
    made.upload(Float32Array.from(neutral));
    return made;
  };
  return { texture: texture(), spare: texture(), begun: false };
}

export function releaseState(composer: Composer, state: RunningState): void {
  composer.release(state.texture);
  composer.release(state.spare);
}

/** Draws the next state from the last (`previous`) and from `inputs`; the first one takes the frame's in full (`rate`). */
export function advance(composer: Composer, state: RunningState, shader: string, inputs: ProgramInputs): void {
  composer.draw(shader, state.spare, {
    textures: { ...inputs.textures, previous: state.texture },
    floats: { ...inputs.floats, rate: state.begun ? COLOUR_RATE : 1 },
  });
  [state.texture, state.spare] = [state.spare, state.texture];
  state.begun = true;
}
