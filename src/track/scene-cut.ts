import type { Picture } from '../core/vision.ts';

export const COLUMNS = 32;
export const ROWS = 18;
const SAMPLES = 6;
/** Below this contrast (standard deviation of 255) a picture says nothing: a flash, a black frame, a covered lens. */
const MIN_CONTRAST = 5;
const MAX_CORRELATION = 0.35;
const MIN_CORRELATION_OF_HALF = 0.6;
const MIN_DIFFERENCE = 12;

/** Mean luma of a 32 × 18 grid, sampled, as the picture has it. @param into COLUMNS · ROWS numbers, row by row */
export function thumbnail(picture: Picture, into: Float32Array): Float32Array {
  const { width, height } = picture.format;
  for (let row = 0; row < ROWS; row++) {
    for (let column = 0; column < COLUMNS; column++) {
      let sum = 0;
      for (let j = 0; j < SAMPLES; j++) {
        const y = Math.floor(((row + (j + 0.5) / SAMPLES) * height) / ROWS);
        for (let i = 0; i < SAMPLES; i++) {
          const x = Math.floor(((column + (i + 0.5) / SAMPLES) * width) / COLUMNS);
          sum += picture.planes[y * width + x]!;
        }
      }
      into[row * COLUMNS + column] = sum / SAMPLES ** 2;
    }
  }
  return into;
}

function meanAndSd(values: Float32Array): { mean: number; sd: number } {
  let sum = 0;
  let squares = 0;
  for (const v of values) {
    sum += v;
    squares += v * v;
  }
  const mean = sum / values.length;
  return { mean, sd: Math.sqrt(Math.max(0, squares / values.length - mean * mean)) };
}

/**
 * Notices a cut by the structure of a luma thumbnail, not by its level: a flash, a fade or a lens that adapts must not end
 * a FaceTrack, because ending one without need could leave a face bare. Pictures without structure are passed over.
 */
export class SceneCutDetector {
  #last: Float32Array | undefined;
  #spare: Float32Array = new Float32Array(COLUMNS * ROWS);
  #format = '';

  /** True when this picture belongs to another scene than the one before. */
  look(picture: Picture): boolean {
    const format = `${picture.format.width}x${picture.format.height}`;
    const resized = this.#format !== '' && format !== this.#format;
    this.#format = format;
    const now = thumbnail(picture, this.#spare);
    const here = meanAndSd(now);
    if (here.sd < MIN_CONTRAST && !resized) return false;
    const before = this.#last;
    this.#last = now;
    this.#spare = before ?? new Float32Array(COLUMNS * ROWS);
    if (!before || resized) return resized;
    const there = meanAndSd(before);
    let product = 0;
    let difference = 0;
    for (let i = 0; i < now.length; i++) {
      const a = now[i]! - here.mean;
      const b = before[i]! - there.mean;
      product += a * b;
      difference += Math.abs(a - b);
    }
    const correlation = product / now.length / Math.max(1e-3, here.sd * there.sd);
    const changed = difference / now.length;
    return (
      changed > MIN_DIFFERENCE &&
      correlation < (changed > 3 * MIN_DIFFERENCE ? MIN_CORRELATION_OF_HALF : MAX_CORRELATION)
    );
  }
}
