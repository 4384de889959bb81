import { CROP, canonicalSquare, cropMask, pointsInCrop, THUMB } from '../face-crop.ts';
import type { FaceRecord } from '../face-record.ts';

/** The 68 points in their own canonical square: what is left is the shape of the face and its expression. */
export function shapeFeatures(points: Float32Array): Float32Array {
  return pointsInCrop(points, canonicalSquare(points), CROP);
}

/** Mean colours of a grid of cells over the middle of the face, RGB each. */
export function colourGrid(thumb: Uint8Array, cells = 4): Float32Array {
  const [from, to] = [Math.round(0.2 * THUMB), Math.round(0.8 * THUMB)];
  const out = new Float32Array(cells * cells * 3);
  const counts = new Float32Array(cells * cells);
  for (let y = from; y < to; y++) {
    for (let x = from; x < to; x++) {
      const cell =
        Math.floor(((y - from) * cells) / (to - from)) * cells + Math.floor(((x - from) * cells) / (to - from));
      counts[cell]!++;
      for (let c = 0; c < 3; c++) out[3 * cell + c]! += thumb[3 * (y * THUMB + x) + c]!;
    }
  }
  return out.map((v, i) => v / counts[Math.floor(i / 3)]!);
}

/** Luma of the face, 16 × 16, mean 0 and length 1. */
export function tinyPicture(thumb: Uint8Array, inside?: Uint8Array, size = 16): Float32Array {
  const step = THUMB / size;
  const out = new Float32Array(size * size);
  const counts = new Float32Array(size * size);
  for (let p = 0; p < THUMB * THUMB; p++) {
    if (inside && !inside[p]) continue;
    const cell = Math.floor(Math.floor(p / THUMB) / step) * size + Math.floor((p % THUMB) / step);
    out[cell]! += 0.299 * thumb[3 * p]! + 0.587 * thumb[3 * p + 1]! + 0.114 * thumb[3 * p + 2]!;
    counts[cell]!++;
  }
  let mean = 0;
  let used = 0;
  for (let i = 0; i < out.length; i++) {
    if (counts[i] === 0) continue;
    out[i]! /= counts[i]!;
    mean += out[i]!;
    used++;
  }
  mean /= Math.max(1, used);
  const centredValues = out.map((v, i) => (counts[i]! > 0 ? v - mean : 0));
  const length = Math.hypot(...centredValues) || 1;
  return centredValues.map((v) => v / length);
}

/** One byte a pixel of the thumb: inside the face, or (`outside`) the rest of the square with hair, ears and neck. */
export function thumbMask(record: FaceRecord, side: 'inside' | 'outside'): Uint8Array {
  const mask = cropMask(record.points.original);
  const scale = CROP / THUMB;
  return Uint8Array.from({ length: THUMB * THUMB }, (_, p) => {
    const at =
      Math.floor(scale * Math.floor(p / THUMB) + scale / 2) * CROP + Math.floor(scale * (p % THUMB) + scale / 2);
    return (mask[at] ? 1 : 0) === (side === 'inside' ? 1 : 0) ? 1 : 0;
  });
}
