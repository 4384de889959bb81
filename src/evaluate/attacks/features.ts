import { CROP, canonicalSquare, pointsInCrop, THUMB } from '../face-crop.ts';

/** The 68 points in their own canonical square: what is left is the shape of the face and its expression. */
export function shapeFeatures(points: Float32Array): Float32Array {
  return pointsInCrop(points, canonicalSquare(points), CROP);
}

/** An ellipse that lies within nearly every face of the canonical square: nothing of hair or ears, and the same for everybody. */
export const FACE_ELLIPSE = Uint8Array.from({ length: THUMB * THUMB }, (_, p) => {
  const x = ((p % THUMB) + 0.5) / THUMB - 0.5;
  const y = (Math.floor(p / THUMB) + 0.5) / THUMB - 0.5;
  return (x / 0.25) ** 2 + (y / 0.3) ** 2 <= 1 ? 1 : 0;
});
/** What lies well outside of a face in the square: hair, ears, neck, clothes. */
export const SURROUNDINGS = Uint8Array.from({ length: THUMB * THUMB }, (_, p) => {
  const x = ((p % THUMB) + 0.5) / THUMB - 0.5;
  const y = (Math.floor(p / THUMB) + 0.5) / THUMB - 0.5;
  return (x / 0.42) ** 2 + (y / 0.47) ** 2 > 1 ? 1 : 0;
});

/** Mean colours of a grid of cells over the middle of the face, RGB each. */
export function colourGrid(thumb: Uint8Array, cells = 4): Float32Array {
  const out = new Float32Array(cells * cells * 3);
  const counts = new Float32Array(cells * cells);
  const [from, to] = [0.22 * THUMB, 0.78 * THUMB];
  const cellOf = (at: number) => Math.floor(((at - from) * cells) / (to - from));
  for (let p = 0; p < THUMB * THUMB; p++) {
    if (!FACE_ELLIPSE[p]) continue;
    const [i, j] = [cellOf(p % THUMB), cellOf(Math.floor(p / THUMB))];
    if (i < 0 || j < 0 || i >= cells || j >= cells) continue;
    counts[j * cells + i]!++;
    for (let c = 0; c < 3; c++) out[3 * (j * cells + i) + c]! += thumb[3 * p + c]!;
  }
  return out.map((v, i) => v / Math.max(1, counts[Math.floor(i / 3)]!));
}

/** Luma of the pixels in `inside`, 16 × 16, mean 0 and length 1. */
export function tinyPicture(thumb: Uint8Array, inside: Uint8Array, size = 16): Float32Array {
  const step = THUMB / size;
  const out = new Float32Array(size * size);
  const counts = new Float32Array(size * size);
  for (let p = 0; p < THUMB * THUMB; p++) {
    if (!inside[p]) continue;
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

/** Attacks on an output's 64² copy, by name. */
export const PICTURE_FEATURES: readonly (readonly [name: string, of: (thumb: Uint8Array) => Float32Array])[] = [
  ['colourGrid', (thumb) => colourGrid(thumb)],
  ['tinyPicture16', (thumb) => tinyPicture(thumb, FACE_ELLIPSE)],
  ['contextOnlyControl', (thumb) => tinyPicture(thumb, SURROUNDINGS)],
];
