import { CROP_SIZE } from '../core/face-track.ts';

/** Part of the canonical crop, both ends included. */
export interface Extent {
  readonly x0: number;
  readonly y0: number;
  readonly x1: number;
  readonly y1: number;
}

const RADIUS = 2;
const SIDE = 2 * RADIUS + 1;
/** A chin below the crop's edge would end in a straight line: the cover fades over these pixels to every edge. */
const EDGE = 2;
const across = new Uint8Array(CROP_SIZE * CROP_SIZE);
/** Sums over the rows around the present one. */
const column = new Int32Array(CROP_SIZE);
/** Alpha by how many of the 5×5 are mask. */
const ALPHA = Uint8Array.from({ length: SIDE * SIDE + 1 }, (_, sum) =>
  Math.round(255 * Math.max(0, Math.min(1, (sum / (SIDE * SIDE) - 0.5) / 0.35))),
);

/**
 * Alpha of the face: 255 where at least 85 % of the 5×5 neighbours are mask, 0 up to one half, linear between: the mask
 * is dilated by more than that width, so the face's own hull keeps full cover up to the edge of the crop.
 * @param mask 128² bytes, 0 or 255 @param skin the same, handed through @param out 128² pairs: skin, alpha
 * @returns where alpha is not 0; `undefined` when nowhere
 */
export function softenMask(mask: Uint8Array, skin: Uint8Array, out: Uint8Array): Extent | undefined {
  const last = CROP_SIZE - 1;
  for (let y = 0; y < CROP_SIZE; y++) {
    const row = y * CROP_SIZE;
    let sum = 0;
    for (let k = -RADIUS - 1; k < RADIUS; k++) sum += mask[row + Math.max(0, k)]! >> 7;
    for (let x = 0; x < CROP_SIZE; x++) {
      const right = x + RADIUS < last ? x + RADIUS : last;
      const left = x > RADIUS ? x - RADIUS - 1 : 0;
      sum += (mask[row + right]! >> 7) - (mask[row + left]! >> 7);
      across[row + x] = sum;
    }
  }
  column.fill(0);
  for (let k = -RADIUS - 1; k < RADIUS; k++) addRow(Math.max(0, k), 1);
  let [x0, y0, x1, y1] = [CROP_SIZE, CROP_SIZE, -1, -1];
  for (let y = 0; y < CROP_SIZE; y++) {
    addRow(Math.min(last, y + RADIUS), 1);
    addRow(Math.max(0, y - RADIUS - 1), -1);
    const fromEdge = Math.min(y, last - y);
    for (let x = 0, i = y * CROP_SIZE, at = 2 * i; x < CROP_SIZE; x++, i++, at += 2) {
      let alpha = ALPHA[column[x]!]!;
      out[at] = skin[i]!;
      if (alpha > 0) {
        const inside = Math.min(fromEdge, x, last - x);
        if (inside < EDGE) alpha = Math.min(alpha, Math.round((255 * inside) / EDGE));
        if (alpha > 0) {
          if (x < x0) x0 = x;
          if (x > x1) x1 = x;
          if (y < y0) y0 = y;
          y1 = y;
        }
      }
      out[at + 1] = alpha;
    }
  }
  return x1 < 0 ? undefined : { x0, y0, x1, y1 };
}

function addRow(y: number, sign: number): void {
  for (let x = 0, i = y * CROP_SIZE; x < CROP_SIZE; x++, i++) column[x]! += sign * across[i]!;
}
