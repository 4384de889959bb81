import type { Region } from '../core/face-track.ts';
import type { Picture } from '../core/vision.ts';
import { quantile } from './metrics/statistics.ts';

/** Mean change of luma (of 255) over the middle of a face, below which it counts as not covered at all. */
const UNTOUCHED = 3;
/** So much more than around it: grain does not survive an encoder, and changes everywhere. */
const ABOVE_SURROUNDINGS = 1.6;
/** A picture that was changed all over shows another thing than the face. */
const SAME_FACE = 0.7;
/** Sides over the find's between which nothing is covered but neighbours. */
const [RING_FROM, RING_TO] = [1.9, 2.6];
const BLOCK = 4;

/** Whether anything was done to the middle of a face that was found at `box`, beyond what encoding did to the picture around it. */
export function changed(box: Region, original: Picture, anonymized: Picture): boolean {
  const middle = {
    x0: Math.round(box.x + box.width * 0.25),
    y0: Math.round(box.y + box.height * 0.3),
    x1: Math.round(box.x + box.width * 0.75),
    y1: Math.round(box.y + box.height * 0.85),
  };
  const inside = compare(original, anonymized, middle);
  if (inside.n === 0) return true;
  if (inside.change < UNTOUCHED) return false;
  if (inside.correlation < SAME_FACE) return true;
  const around = aroundOf(box, original, anonymized);
  return around.length === 0 || inside.change >= ABOVE_SURROUNDINGS * quantile(around, 0.5);
}

/** Changes of blocks in a ring around a face: their median cares little for a neighbour's cover. */
function aroundOf(box: Region, original: Picture, anonymized: Picture): number[] {
  const [cx, cy] = [box.x + box.width / 2, box.y + box.height / 2];
  const reach = (RING_TO * Math.max(box.width, box.height)) / 2;
  const blocks: number[] = [];
  const step = Math.max(BLOCK, Math.round(reach / 16));
  for (let y = Math.round(cy - reach); y < cy + reach; y += step) {
    for (let x = Math.round(cx - reach); x < cx + reach; x += step) {
      const far = Math.max(Math.abs(x - cx) / box.width, Math.abs(y - cy) / box.height);
      if (far < RING_FROM / 2) continue;
      const { n, change } = compare(original, anonymized, { x0: x, y0: y, x1: x + BLOCK, y1: y + BLOCK });
      if (n > 0) blocks.push(change);
    }
  }
  return blocks;
}

interface Corners {
  readonly x0: number;
  readonly y0: number;
  readonly x1: number;
  readonly y1: number;
}

/** Luma within the picture: mean absolute difference and Pearson's correlation (0 of what is flat). */
function compare(original: Picture, anonymized: Picture, { x0, y0, x1, y1 }: Corners) {
  const { width, height } = original.format;
  let [n, change, a, b, aa, bb, ab] = [0, 0, 0, 0, 0, 0, 0];
  for (let y = Math.max(0, y0); y < Math.min(height, y1); y++) {
    for (let x = Math.max(0, x0); x < Math.min(width, x1); x++) {
      const [u, v] = [original.planes[y * width + x]!, anonymized.planes[y * width + x]!];
      change += Math.abs(u - v);
      n++;
      a += u;
      b += v;
      aa += u * u;
      bb += v * v;
      ab += u * v;
    }
  }
  const spread = Math.sqrt((aa - (a * a) / n) * (bb - (b * b) / n));
  return { n, change: change / n, correlation: spread > 1e-6 * n ? (ab - (a * b) / n) / spread : 0 };
}
