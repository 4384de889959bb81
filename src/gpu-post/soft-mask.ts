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

/**
 * Alpha of the face: 255 where at least 85 % of the 5×5 neighbours are mask, 0 up to one half, linear between: the mask
 * is dilated by more than that width, so the face's own hull keeps full cover up to the edge of the crop.
 * @param mask 128² bytes, 0 or 255 @param skin the same, handed through @param out 128² pairs: skin, alpha
 * @returns where alpha is not 0; `undefined` when nowhere
 */
export function softenMask(mask: Uint8Array, skin: Uint8Array, out: Uint8Array): Extent | undefined {
  const last = CROP_SIZE - 1;
  const clamp = (i: number) => Math.max(0, Math.min(last, i));
  for (let y = 0; y < CROP_SIZE; y++) {
    const row = y * CROP_SIZE;
    let sum = 0;
    for (let k = -RADIUS - 1; k < RADIUS; k++) sum += mask[row + clamp(k)]! >> 7;
    for (let x = 0; x < CROP_SIZE; x++) {
      sum +=
        (mask[row + clamp(x + RADIUS)]! >> 7) - (x === 0 ? mask[row]! >> 7 : mask[row + clamp(x - RADIUS - 1)]! >> 7);
      across[row + x] = sum;
    }
  }
  let [x0, y0, x1, y1] = [CROP_SIZE, CROP_SIZE, -1, -1];
  for (let y = 0; y < CROP_SIZE; y++) {
    const rows = [-2, -1, 0, 1, 2].map((k) => clamp(y + k) * CROP_SIZE);
    for (let x = 0; x < CROP_SIZE; x++) {
      const sum =
        across[rows[0]! + x]! +
        across[rows[1]! + x]! +
        across[rows[2]! + x]! +
        across[rows[3]! + x]! +
        across[rows[4]! + x]!;
      const inside = Math.min(x, y, last - x, last - y);
      const alpha = Math.max(0, Math.min(1, (sum / (SIDE * SIDE) - 0.5) / 0.35, inside / EDGE));
      const at = 2 * (y * CROP_SIZE + x);
      out[at] = skin[y * CROP_SIZE + x]!;
      out[at + 1] = Math.round(alpha * 255);
      if (alpha === 0) continue;
      if (x < x0) x0 = x;
      if (x > x1) x1 = x;
      if (y < y0) y0 = y;
      y1 = y;
    }
  }
  return x1 < 0 ? undefined : { x0, y0, x1, y1 };
}
