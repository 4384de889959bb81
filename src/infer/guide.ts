import { CROP_SIZE } from '../core/face-track.ts';

const CELLS = 4;
const CELL = CROP_SIZE / CELLS;
const AREA = CROP_SIZE * CROP_SIZE;
/** The grid is coarse on purpose: it is all of the face that the generator is told. 1/16 of the range [−1, 1]. */
const STEP = 2 / 16;

/**
 * Mean colour of the masked pixels per 32-pixel cell; a cell with little mask leans on the mean of the whole mask.
 * @param rgb planar 3×128², [−1, 1]
 * @param out 3×4×4
 */
export function colourGuide(rgb: Float32Array, mask: Uint8Array, out: Float32Array): void {
  for (let c = 0; c < 3; c++) {
    const sums = new Float64Array(CELLS * CELLS);
    const counts = new Float64Array(CELLS * CELLS);
    let total = 0;
    let count = 0;
    for (let i = 0; i < AREA; i++) {
      if (mask[i] === 0) continue;
      const row = (i / (CROP_SIZE * CELL)) | 0;
      const cell = row * CELLS + (((i % CROP_SIZE) / CELL) | 0);
      const value = rgb[c * AREA + i]!;
      sums[cell]! += value;
      counts[cell]! += 1;
      total += value;
      count++;
    }
    const mean = count ? total / count : 0;
    for (let k = 0; k < CELLS * CELLS; k++) {
      const weight = Math.min(1, (4 * counts[k]!) / (CELL * CELL));
      const own = counts[k] ? sums[k]! / counts[k]! : mean;
      out[c * CELLS * CELLS + k] = Math.round((own * weight + mean * (1 - weight)) / STEP) * STEP;
    }
  }
}
