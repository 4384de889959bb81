import { FACE_SLOT_BYTES, faceSlotViews } from '../core/face-slot.ts';
import { CROP_SIZE } from '../core/face-track.ts';
import type { Photometry } from './photometry.ts';
import type { Texture } from './texture.ts';

const GREY = 128;

/**
 * Draws a grey face once. A driver compiles a shader when it is first drawn with: by a software renderer that is seconds on a busy machine, for
 * which a stream's first face would have to be covered.
 */
export function warmUp(photometry: Photometry, size: number, out: Texture): void {
  const slot = faceSlotViews(new SharedArrayBuffer(FACE_SLOT_BYTES), 0, size);
  slot.crop.fill(GREY);
  slot.face.fill(GREY);
  const half = CROP_SIZE / 2;
  for (let i = 0; i < slot.mask.length; i++) {
    const inside = Math.hypot((i % CROP_SIZE) - half, Math.floor(i / CROP_SIZE) - half) < half * 0.7;
    slot.mask[i] = inside ? 255 : 0;
  }
  const points = roughFace();
  const state = photometry.newState();
  const toPicture = { a: 1, b: 0, c: 0, d: 0, e: 1, f: 0 };
  const place = { toPicture, width: CROP_SIZE, height: CROP_SIZE, others: [] };
  photometry.run(slot, points, points, state, out, place);
  out.read(new Uint8Array(4 * size * size));
  photometry.release(state);
}

/** 68 points in canonical pixels, about where a face has them. */
function roughFace(): Float32Array {
  const points: number[] = [];
  /** Part of an ellipse, angles in turns, clockwise from the right. */
  const arc = (count: number, [x, y]: number[], [rx, ry]: number[], from: number, to: number) => {
    for (let i = 0; i < count; i++) {
      const angle = 2 * Math.PI * (from + ((to - from) * i) / (count - 1));
      points.push(x! + rx! * Math.cos(angle), y! + ry! * Math.sin(angle));
    }
  };
  arc(17, [64, 60], [42, 52], 0.5, 0); // jaw
  arc(5, [46, 46], [12, 4], 0.5, 1); // brows
  arc(5, [82, 46], [12, 4], 0.5, 1);
  arc(4, [64, 64], [0, 10], -0.25, 0.25); // nose
  arc(5, [64, 76], [8, 2], 0.5, 0);
  arc(6, [46, 56], [7, 3], 0.5, 1.33); // eyes
  arc(6, [82, 56], [7, 3], 0.5, 1.33);
  arc(12, [64, 94], [15, 6], 0.5, 1.42); // lips, outside and inside
  arc(8, [64, 94], [11, 3], 0.5, 1.38);
  return Float32Array.from(points);
}
