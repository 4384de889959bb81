import { planeLayout } from '../core/video-frame.ts';
import type { Picture } from '../core/vision.ts';
import { CROP, CropReader, canonicalSquare, cropMask, pointsInCrop } from './face-crop.ts';
import { luma } from './metrics/albedo.ts';

/** The paper's step read literally: an edge-keeping filter of 3 pixels and a tenth of the range. */
const SIGMA_SPACE = 3;
const SIGMA_RANGE = 0.1;
const RADIUS = 6;
const MAX_RATIO = 3;

const crops = new CropReader(CROP);

/**
 * Relights an output by `A_gen · S_orig` with shadings from a bilateral filter (paper III-B2, taken at its word). The
 * filter keeps edges, so the "shading" carries the original's eyes, nose and mouth back: this is here to show that, for the
 * ablation only. `understudy run` has no such mode, and what this returns is measured and thrown away.
 * @param points the original's 68 points, picture pixels
 */
export function literalRelighting(original: Picture, anonymized: Picture, points: Float32Array): Picture {
  const square = canonicalSquare(points);
  const mask = cropMask(pointsInCrop(points, square, CROP));
  const [own, made] = [original, anonymized].map((p) => bilateral(luma(crops.read(p, square))));
  const ratio = own!.map((s, i) =>
    mask[i] ? Math.min(MAX_RATIO, Math.max(1 / MAX_RATIO, (s + 0.01) / (made![i]! + 0.01))) : 1,
  );
  const { width, height, colour } = anonymized.format;
  const planes = Uint8Array.from(anonymized.planes);
  const offset = colour.range === 'full' ? 0 : 16;
  const [cos, sin, scale] = [Math.cos(square.angle), Math.sin(square.angle), CROP / square.side];
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const [dx, dy] = [x + 0.5 - square.cx, y + 0.5 - square.cy];
      const u = Math.floor((dx * cos + dy * sin) * scale + CROP / 2);
      const v = Math.floor((dy * cos - dx * sin) * scale + CROP / 2);
      if (u < 0 || v < 0 || u >= CROP || v >= CROP) continue;
      const at = y * width + x;
      planes[at] = Math.max(0, Math.min(255, Math.round((planes[at]! - offset) * ratio[v * CROP + u]! + offset)));
    }
  }
  return { planes: planes.subarray(0, planeLayout(width, height).byteLength), format: anonymized.format };
}

/** Tomasi & Manduchi 1998, on a 128² field in [0, 1]. */
function bilateral(values: Float32Array): Float32Array {
  const space = Array.from({ length: 2 * RADIUS + 1 }, (_, i) => Math.exp(-0.5 * ((i - RADIUS) / SIGMA_SPACE) ** 2));
  const out = new Float32Array(values.length);
  for (let y = 0; y < CROP; y++) {
    for (let x = 0; x < CROP; x++) {
      const centre = values[y * CROP + x]!;
      let sum = 0;
      let weights = 0;
      for (let j = Math.max(0, y - RADIUS); j <= Math.min(CROP - 1, y + RADIUS); j++) {
        for (let i = Math.max(0, x - RADIUS); i <= Math.min(CROP - 1, x + RADIUS); i++) {
          const v = values[j * CROP + i]!;
          const w =
            space[j - y + RADIUS]! * space[i - x + RADIUS]! * Math.exp(-0.5 * ((v - centre) / SIGMA_RANGE) ** 2);
          sum += w * v;
          weights += w;
        }
      }
      out[y * CROP + x] = sum / weights;
    }
  }
  return out;
}
