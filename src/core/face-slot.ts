import { CROP_SIZE } from './face-track.ts';

const AREA = CROP_SIZE * CROP_SIZE;
/** Largest generator output side that a slot can hold, pixels. */
export const MAX_FACE_SIZE = 256;

/**
 * Shared memory for one face on its way through analysis → generator → GL.
 * `crop`: the original's canonical crop, RGBA 128²; `mask`: 255 where the face is replaced, 128²;
 * `face`: the generated face, RGBA S². The crop holds a real face and is never sent anywhere but to these workers.
 */
export interface FaceSlotViews {
  readonly crop: Uint8Array;
  readonly mask: Uint8Array;
  readonly face: Uint8Array;
}

export const FACE_SLOT_BYTES = AREA * 4 + AREA + MAX_FACE_SIZE * MAX_FACE_SIZE * 4;

export function faceSlotViews(memory: SharedArrayBuffer, index: number, faceSize: number): FaceSlotViews {
  const base = index * FACE_SLOT_BYTES;
  return {
    crop: new Uint8Array(memory, base, AREA * 4),
    mask: new Uint8Array(memory, base + AREA * 4, AREA),
    face: new Uint8Array(memory, base + AREA * 5, faceSize * faceSize * 4),
  };
}
