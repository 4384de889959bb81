import { CROP_SIZE } from '../core/face-track.ts';

const CELLS = 4;
const CELL = CROP_SIZE / CELLS;
const AREA = CROP_SIZE * CROP_SIZE;
const ALL = CELLS * CELLS;
/** The grid is coarse on purpose: it is all of the face that the generator is told. 1/16 of the range [−1, 1]. */
const STEP = 2 / 16;

/** Per cell and, as the last, of the whole mask. */
const sums = new Float64Array(ALL + 1);
const counts = new Int32Array(ALL + 1);

/**
 * Mean colour of the masked pixels per 32-pixel cell; a cell with little mask leans on the mean of the whole mask.
 * @param rgb planar 3×128², [−1, 1]
 * @param out 3×4×4
 */
export function colourGuide(rgb: Float32Array, mask: Uint8Array, out: Float32Array): void {
  for (let c = 0; c < 3; c++) {
    sums.fill(0);
    counts.fill(0);
    for (let y = 0; y < CROP_SIZE; y++) {
      const row = CELLS * Math.floor(y / CELL);
      for (let k = 0; k < CELLS; k++) addCell(rgb, c * AREA, mask, y * CROP_SIZE + k * CELL, row + k);
    }
    const mean = counts[ALL]! > 0 ? sums[ALL]! / counts[ALL]! : 0;
    for (let k = 0; k < ALL; k++) {
      const weight = Math.min(1, (4 * counts[k]!) / (CELL * CELL));
      const own = counts[k]! > 0 ? sums[k]! / counts[k]! : mean;
      out[c * ALL + k] = Math.round((own * weight + mean * (1 - weight)) / STEP) * STEP;
    }
  }
}

/** One row of a cell. */
function addCell(rgb: Float32Array, plane: number, mask: Uint8Array, from: number, cell: number): void {
  let sum = sums[cell]!;
  let all = sums[ALL]!;
  let count = 0;
  for (let i = from; i < from + CELL; i++) {
    if (mask[i] === 0) continue;
    const value = rgb[plane + i]!;
    sum += value;
    all += value;
    count++;
  }
  sums[cell] = sum;
  sums[ALL] = all;
  counts[cell]! += count;
  counts[ALL]! += count;
}
