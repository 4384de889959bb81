import { type Affine, CROP_SIZE } from '../core/face-track.ts';
import type { Box } from './plane-blend.ts';

/** Texels of the tile for one canonical pixel. */
const FINE = 4;
/** Of the tile, a power of two: half a face, and repeats. */
const SIDE = 256;
/** Fixed point of positions: 16 bits behind the point. */
const ONE = 65_536;
/** Deviation of the tile's numbers. */
const UNIT = 32;
/** Deviation of the tile at the resolution of the canonical crop, of the whole. */
const SEEN_BY_CROP = 0.6;

/** Pores and down: noise of two widths, 0.4 and 1 canonical pixels. The same for everybody, so that it tells nobody apart. */
const tile = mixed();

/**
 * Gives smooth skin a texture that moves with the face.
 * @param pixels the box's pixels, Y in the lowest byte, alpha in the highest; written @param weights 128², where there is skin
 * @param deviation at the resolution of the canonical crop, relative to luma
 */
export function addSkinTexture(
  pixels: Int32Array,
  box: Box,
  { a, b, c, d, e, f }: Affine,
  weights: Uint8Array,
  deviation: number,
): void {
  const strength = deviation / (SEEN_BY_CROP * UNIT * 255);
  if (!(strength > 0)) return;
  const det = a * e - b * d;
  const du = Math.round((e / det) * FINE * ONE);
  const dv = Math.round((-d / det) * FINE * ONE);
  for (let j = 0; j < box.height; j++) {
    const [x, y] = [box.x - c, box.y + j - f];
    let u = Math.round(((e * x - b * y) / det) * FINE * ONE);
    let v = Math.round(((a * y - d * x) / det) * FINE * ONE);
    let at = j * box.width;
    for (const end = at + box.width; at < end; at++, u += du, v += dv) {
      const pixel = pixels[at]!;
      if (pixel >>> 24 !== 255) continue;
      const weight = weights[((v >> 18) & (CROP_SIZE - 1)) * CROP_SIZE + ((u >> 18) & (CROP_SIZE - 1))]!;
      if (weight === 0) continue;
      const luma = pixel & 255;
      const noise = tile[((v >> 16) & (SIDE - 1)) * SIDE + ((u >> 16) & (SIDE - 1))]!;
      const value = luma + noise * luma * weight * strength;
      pixels[at] = (pixel & ~255) | (value < 0 ? 0 : value > 255 ? 255 : value + 0.5);
    }
  }
}

function mixed(): Int8Array {
  const [narrow, wide] = [blurred(1.6), blurred(4)];
  return Int8Array.from(narrow, (n, i) => Math.max(-127, Math.min(127, UNIT * (0.87 * n + 0.5 * wide[i]!))));
}

/** Gaussian noise of deviation 1, wrapped at its edges. @param sigma its blur's, texels */
function blurred(sigma: number): Float32Array {
  let noise = Float32Array.from({ length: SIDE * SIDE }, () => Math.random() + Math.random() + Math.random() - 1.5);
  const reach = Math.ceil(2.5 * sigma);
  const kernel = Array.from({ length: 2 * reach + 1 }, (_, k) => Math.exp(-((k - reach) ** 2) / (2 * sigma * sigma)));
  for (const along of [1, SIDE]) {
    const out = new Float32Array(SIDE * SIDE);
    for (let y = 0; y < SIDE; y++)
      for (let x = 0; x < SIDE; x++) {
        let sum = 0;
        for (let k = 0; k < kernel.length; k++) {
          const o = k - reach;
          const at = along === 1 ? y * SIDE + ((x + o) & (SIDE - 1)) : ((y + o) & (SIDE - 1)) * SIDE + x;
          sum += kernel[k]! * noise[at]!;
        }
        out[y * SIDE + x] = sum;
      }
    noise = out;
  }
  const deviation = Math.sqrt(noise.reduce((sum, v) => sum + v * v, 0) / noise.length);
  return noise.map((v) => v / deviation);
}
