import { faceOutline, rasteriseMask } from '../core/face-mask.ts';
import { type Affine, CROP_SIZE, type Region } from '../core/face-track.ts';

const AREA = CROP_SIZE * CROP_SIZE;
const COARSEST = 4;
/** Of the coarsest level's cells. */
const LEAST_KNOWN = 0.5;
/** The generated face ends here outside its outline. */
const REACH = 1;
/** The share of hull is taken over 7×7, so that it says how far a pixel lies inside or outside. */
const RADIUS = 3;
const WINDOW = (2 * RADIUS + 1) ** 2;
/** Half the height over which that begins, around the line of the eyes: above it is hair, which the generator draws better than a blur. */
const BEGIN = 8;

const hullOfOwn = new Uint8Array(AREA);
const across = new Uint8Array(AREA);

/** Where a crop lies in its picture, and what else there must not be shown. */
export interface Place {
  readonly toPicture: Affine;
  readonly width: number;
  readonly height: number;
  /** All other faces of the picture: a neighbour's is as real as one's own. */
  readonly others: readonly { readonly region: Region; readonly roll: number }[];
}

/**
 * Marks what of a crop may be shown: nothing below the mask, nothing of anybody else, and nothing from beyond the picture's edge, where sampling repeats
 * what lies at it, which may be a face that the edge cuts.
 * @param mask 128², 255 where the face is replaced @param out 128², 255 where known
 */
export function markKnown(mask: Uint8Array, { toPicture: t, width, height, others }: Place, out: Uint8Array): void {
  // A sample's neighbours, those of its chroma too, lie so many pixels away.
  const margin = 3 + Math.sqrt(Math.abs(t.a * t.e - t.b * t.d));
  const boxes = others.map((other) => hidden(other, margin));
  const inPicture = (x: number, y: number) => x >= margin && y >= margin && x < width - margin && y < height - margin;
  const corner = (u: number, v: number) => inPicture(t.a * u + t.b * v + t.c, t.d * u + t.e * v + t.f);
  const end = CROP_SIZE - 1;
  if (boxes.length === 0 && corner(0, 0) && corner(end, 0) && corner(0, end) && corner(end, end)) {
    for (let i = 0; i < AREA; i++) out[i] = 255 - mask[i]!;
    return;
  }
  out.fill(0);
  for (let v = 0; v < CROP_SIZE; v++) {
    const row = v * CROP_SIZE;
    const [x, y] = [t.b * v + t.c, t.e * v + t.f];
    const [from, to] = between(x, t.a, margin, width - margin, y, t.d, margin, height - margin);
    for (let u = Math.max(0, Math.ceil(from + TINY)); u <= Math.min(end, to - TINY); u++)
      out[row + u] = 255 - mask[row + u]!;
    for (const b of boxes) {
      const [first, last] = between(x, t.a, b.x, b.x + b.width, y, t.d, b.y, b.y + b.height);
      if (last >= first) out.fill(0, row + within(Math.floor(first - TINY)), row + within(Math.ceil(last + TINY) + 1));
    }
  }
}

/** Rounding must show nothing more: canonical pixels. */
const TINY = 1e-6;
const within = (u: number) => Math.max(0, Math.min(CROP_SIZE, u));

/** Steps u between which x + dx·u lies in [x0, x1] and y + dy·u in [y0, y1]; the second is below the first when nowhere. */
function between(
  ...[x, dx, x0, x1, y, dy, y0, y1]: [number, number, number, number, number, number, number, number]
): readonly [number, number] {
  const [a, b] = steps(x, dx, x0, x1);
  const [c, d] = steps(y, dy, y0, y1);
  return [Math.max(a, c), Math.min(b, d)];
}

function steps(at: number, step: number, low: number, high: number): readonly [number, number] {
  if (Math.abs(step) < 1e-9) return at >= low && at <= high ? [-CROP_SIZE, 2 * CROP_SIZE] : [1, 0];
  const [first, last] = [(low - at) / step, (high - at) / step];
  return first < last ? [first, last] : [last, first];
}

/** An upright box around a region that may be turned. */
function hidden({ region, roll }: Place['others'][number], margin: number): Region {
  const { x, y, width, height } = region;
  const [cos, sin] = [Math.abs(Math.cos(roll)), Math.abs(Math.sin(roll))];
  const w = Math.max(width, width * cos + height * sin) + 2 * margin;
  const h = Math.max(height, height * cos + width * sin) + 2 * margin;
  return { x: x + (width - w) / 2, y: y + (height - h) / 2, width: w, height: h };
}

/** R, G, B and weight of a square. */
interface Level {
  readonly size: number;
  readonly data: Float32Array;
}

/**
 * What the mask hides beside the generated face: neck, hair and background, which need nobody to invent them. They are grown
 * inwards from the pixels around the mask by push and pull (Gortler et al., The Lumigraph, 1996), of which none shows the face.
 */
export class Surroundings {
  readonly #levels: readonly Level[];
  readonly #hull = new Uint8Array(AREA);
  readonly #counts = new Uint8Array(AREA);

  constructor() {
    const levels: Level[] = [];
    for (let size = CROP_SIZE; size >= COARSEST; size /= 2)
      levels.push({ size, data: new Float32Array(4 * size * size) });
    this.#levels = levels;
  }

  /**
   * @param crop RGBA 128² @param known 128², not 0 where the crop shows what may be shown @param driven points of the generated face
   * @param mask 128², 255 where the face is replaced @param out RGBA 128², overwritten: the surroundings, and in A how far inside the generated face's outline a pixel is
   */
  fill(crop: Uint8Array, known: Uint8Array, mask: Uint8Array, driven: Float32Array, out: Uint8Array): void {
    out.fill(255);
    rasteriseMask([faceOutline(driven)], this.#hull, REACH);
    if (!this.#pull(crop, known)) return;
    const levels = this.#levels;
    for (let i = levels.length - 2; i > 0; i--) push(levels[i + 1]!, levels[i]!);
    this.#finest(mask, meanY(driven, 36, 48), out);
  }

  /** Means of what is known, with how much of it there is, down to 4². @returns false when too little is */
  #pull(crop: Uint8Array, known: Uint8Array): boolean {
    const finest = this.#levels[0]!.data;
    for (let i = 0; i < AREA; i++) {
      const weight = known[i] === 0 ? 0 : 1;
      finest[4 * i] = crop[4 * i]! * weight;
      finest[4 * i + 1] = crop[4 * i + 1]! * weight;
      finest[4 * i + 2] = crop[4 * i + 2]! * weight;
      finest[4 * i + 3] = weight;
    }
    for (const [i, { size, data }] of this.#levels.entries()) {
      if (i === 0) continue;
      const finer = this.#levels[i - 1]!.data;
      for (let y = 0; y < size; y++) {
        for (let x = 0; x < size; x++) {
          const from = 4 * (4 * y * size + 2 * x);
          const at = 4 * (y * size + x);
          const below = from + 8 * size;
          const weight = finer[from + 3]! + finer[from + 7]! + finer[below + 3]! + finer[below + 7]!;
          const share = weight > 1 ? 1 / weight : 1;
          data[at] = share * (finer[from]! + finer[from + 4]! + finer[below]! + finer[below + 4]!);
          data[at + 1] = share * (finer[from + 1]! + finer[from + 5]! + finer[below + 1]! + finer[below + 5]!);
          data[at + 2] = share * (finer[from + 2]! + finer[from + 6]! + finer[below + 2]! + finer[below + 6]!);
          data[at + 3] = share * weight;
        }
      }
    }
    return this.#fillCoarsest();
  }

  /** A mask may leave nothing at all to be seen near a corner: the mean of the rest stands there. */
  #fillCoarsest(): boolean {
    const { data } = this.#levels.at(-1)!;
    const sum = [0, 0, 0, 0];
    for (let i = 0; i < data.length; i++) sum[i & 3]! += data[i]!;
    const weight = sum[3]!;
    if (weight < LEAST_KNOWN) return false;
    for (let i = 0; i < data.length; i += 4) {
      const missing = 1 - data[i + 3]!;
      for (let c = 0; c < 3; c++) data[i + c]! += (missing * sum[c]!) / weight;
    }
    return true;
  }

  /** At half the resolution, beyond the mask's edge too: that edge would show as steps. */
  #finest(mask: Uint8Array, eyesY: number, out: Uint8Array): void {
    const coarser = this.#levels[1]!;
    const counts = this.#counts;
    countHull(this.#hull, counts);
    const sample = new Float32Array(3);
    // One row more than is seen: interpolation reaches it.
    const first = Math.max(0, Math.min(CROP_SIZE, Math.floor(eyesY - BEGIN) - 1));
    const last = CROP_SIZE - 1;
    for (let y = first; y < CROP_SIZE; y++) {
      const share = Math.max(0, Math.min(1, (y - eyesY + BEGIN) / (2 * BEGIN)));
      const [up, down] = [Math.max(0, y - 1) * CROP_SIZE, Math.min(last, y + 1) * CROP_SIZE];
      for (let x = 0; x < CROP_SIZE; x++) {
        const i = y * CROP_SIZE + x;
        const [left, right] = [x > 0 ? x - 1 : 0, x < last ? x + 1 : last];
        // Interpolation reaches one pixel further than surroundings are seen: inwards, and out of the mask. It is convex, so that corners tell.
        const inside = counts[up + left]! + counts[up + right]! + counts[down + left]! + counts[down + right]!;
        if (inside === 4 * WINDOW) continue;
        out[4 * i + 3] = 255 * (1 - share * (1 - counts[i]! / WINDOW)) + 0.5;
        if ((mask[up + left]! | mask[up + right]! | mask[down + left]! | mask[down + right]! | mask[i]!) === 0)
          continue;
        bilinear(coarser, x, y, sample);
        out[4 * i] = sample[0]! + 0.5;
        out[4 * i + 1] = sample[1]! + 0.5;
        out[4 * i + 2] = sample[2]! + 0.5;
      }
    }
  }
}

/** How many pixels of the window around each are hull. */
function countHull(hull: Uint8Array, out: Uint8Array): void {
  const last = CROP_SIZE - 1;
  for (let y = 0; y < CROP_SIZE; y++) {
    const row = y * CROP_SIZE;
    let sum = 0;
    for (let x = -RADIUS - 1; x < RADIUS; x++) sum += hull[row + Math.max(0, x)]! & 1;
    for (let x = 0; x < CROP_SIZE; x++) {
      sum += hull[row + Math.min(last, x + RADIUS)]! & 1;
      sum -= hull[row + Math.max(0, x - RADIUS - 1)]! & 1;
      across[row + x] = sum;
    }
  }
  for (let x = 0; x < CROP_SIZE; x++) {
    let sum = 0;
    for (let y = -RADIUS - 1; y < RADIUS; y++) sum += across[Math.max(0, y) * CROP_SIZE + x]!;
    for (let y = 0; y < CROP_SIZE; y++) {
      sum += across[Math.min(last, y + RADIUS) * CROP_SIZE + x]!;
      sum -= across[Math.max(0, y - RADIUS - 1) * CROP_SIZE + x]!;
      out[y * CROP_SIZE + x] = sum;
    }
  }
}

function meanY(points: Float32Array, from: number, to: number): number {
  let sum = 0;
  for (let i = from; i < to; i++) sum += points[2 * i + 1]!;
  return sum / (to - from);
}

/** What a level lacks comes from the next coarser one. */
function push(coarser: Level, { size, data }: Level): void {
  const sample = new Float32Array(3);
  for (let y = 0; y < size; y++) {
    for (let x = 0; x < size; x++) {
      const at = 4 * (y * size + x);
      const missing = 1 - data[at + 3]!;
      if (missing <= 0) continue;
      bilinear(coarser, x, y, sample);
      for (let c = 0; c < 3; c++) data[at + c]! += missing * sample[c]!;
    }
  }
}

/** A pixel of the level twice as fine: 9, 3, 3 and 1 sixteenths of the four nearest. */
function bilinear({ size, data }: Level, x: number, y: number, out: Float32Array): void {
  const i = x >> 1;
  const j = y >> 1;
  const i1 = Math.max(0, Math.min(size - 1, x & 1 ? i + 1 : i - 1));
  const j1 = Math.max(0, Math.min(size - 1, y & 1 ? j + 1 : j - 1));
  const a = 4 * (j * size + i);
  const b = 4 * (j * size + i1);
  const c = 4 * (j1 * size + i);
  const d = 4 * (j1 * size + i1);
  out[0] = (9 * data[a]! + 3 * (data[b]! + data[c]!) + data[d]!) / 16;
  out[1] = (9 * data[a + 1]! + 3 * (data[b + 1]! + data[c + 1]!) + data[d + 1]!) / 16;
  out[2] = (9 * data[a + 2]! + 3 * (data[b + 2]! + data[c + 2]!) + data[d + 2]!) / 16;
}

/** 255 where both the original's and the generated face's outlines lie around a pixel: where the two can be compared. */
export function commonSkin(own: Float32Array, driven: Float32Array, out: Uint8Array): void {
  rasteriseMask([faceOutline(own)], hullOfOwn, 0);
  rasteriseMask([faceOutline(driven)], out, 0);
  for (let i = 0; i < AREA; i++) out[i]! &= hullOfOwn[i]!;
}
