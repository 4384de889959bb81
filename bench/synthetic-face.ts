import { FACE_SLOT_BYTES, type FaceSlotViews, faceSlotViews } from '../src/core/face-slot.ts';
import { CROP_SIZE } from '../src/core/face-track.ts';

/** Height of the synthetic mask in the canonical crop. */
export const MASK_HEIGHT = 96;
/** Sides of a generated face: without detail, and with it. */
export const FACE_SIZES = ['128', '256'] as const;

/** Fills a slot with noise under an elliptic mask: the passes cost the same whatever they show. */
export function fillSlot(memory: SharedArrayBuffer, slot: number, faceSize: number): FaceSlotViews {
  const views = faceSlotViews(memory, slot, faceSize);
  const { crop, mask, face } = views;
  for (let i = 0; i < crop.length; i++) crop[i] = 90 + ((i * 7919) % 90);
  for (let i = 0; i < face.length; i++) face[i] = 70 + ((i * 104729) % 60);
  for (let i = 0; i < mask.length; i++) {
    const [x, y] = [(i % CROP_SIZE) - 64, Math.floor(i / CROP_SIZE) - 64];
    mask[i] = Math.hypot(x / 38, y / (MASK_HEIGHT / 2)) < 1 ? 255 : 0;
  }
  return views;
}

export const slotsFor = (count: number): SharedArrayBuffer => new SharedArrayBuffer(count * FACE_SLOT_BYTES);

/** 70 points with eyes where the contract has them. */
export function syntheticPoints(): Float32Array {
  const points = new Float32Array(140);
  for (let i = 0; i < 70; i++) points.set([64 + 30 * Math.cos(i), 64 + 40 * Math.sin(i)], 2 * i);
  for (let i = 36; i < 42; i++) points.set([46, 54], 2 * i);
  for (let i = 42; i < 48; i++) points.set([83, 54], 2 * i);
  return points;
}
