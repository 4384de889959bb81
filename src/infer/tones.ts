import type { Scratch } from '../core/simd/scratch.ts';
import type { Picture } from '../core/vision.ts';
import { type PlacedRgb, toRgb, valuesOf } from './sample.ts';

/** What nine of ten pixels are darker than, 0…255, below which a picture is lightened; to what that is brought, and by how much at most. */
const DARK = 56;
const LIGHT = 200;
const MOST = 16;
/** Every so many pixels are looked at. */
const STRIDE = 5;
/** Between the darkest and the brightest fiftieth of a hazy picture, 0…255; to what they are brought, and by how much at most. */
const PALE = 64;
const [PALE_LOW, PALE_HIGH] = [50, 180];
const MOST_PALE = 8;
const SAMPLES = 4001;
/** Share of a window that has to be dark for its shadows to be lightened, and the curve for that: 0…255, in quarters. */
const MIN_SHADOW = 0.02;
const CURVE = Float32Array.from({ length: 1021 }, (_, i) => 255 * (i / 1020) ** 0.45);
/** Bars above and beside a picture are no part of it. */
const BAR = 2;

const histogram = new Uint32Array(256);

/** `value → gain · value + add`, of 0…255. */
export interface Stretch {
  readonly gain: number;
  readonly add: number;
}

/** How a picture's tones have to be spread for a network to see what is in it; undefined for one that is not behind haze, a fogged lens or a curtain of light. */
export function paleStretch(picture: Picture): Stretch | undefined {
  // Asked for with every window of a picture.
  if (!stretches.has(picture)) stretches.set(picture, stretchOf(picture));
  return stretches.get(picture);
}

const stretches = new WeakMap<Picture, Stretch | undefined>();

function stretchOf({ planes, format }: Picture): Stretch | undefined {
  const { lumaScale, lumaOffset } = toRgb(format.colour);
  const n = format.width * format.height;
  // An odd step does not fall on the same columns in every row.
  const step = Math.max(1, Math.floor(n / SAMPLES)) | 1;
  histogram.fill(0);
  let count = 0;
  for (let i = 0; i < n; i += step) {
    const value = (planes[i]! - lumaOffset) * lumaScale;
    if (value < BAR) continue;
    histogram[value > 255 ? 255 : Math.round(value)]!++;
    count++;
  }
  if (count === 0) return undefined;
  const [low, high] = [levelAt(count / 50), levelAt(0.98 * count)];
  if (high - low >= PALE) return undefined;
  const gain = Math.min(MOST_PALE, (PALE_HIGH - PALE_LOW) / Math.max(1, high - low));
  const middle = (low + high) / 2;
  // What is dark all over stays dark below; there is nothing under it that would have to be cut off.
  return { gain, add: Math.max(-gain * low, (PALE_LOW + PALE_HIGH) / 2 - gain * middle) };
}

/** The value that so many of the histogram's samples do not exceed. */
function levelAt(count: number): number {
  let level = 0;
  for (let below = histogram[0]!; level < 255 && below < count; ) below += histogram[++level]!;
  return level;
}

/** @param rgb `(value − offset) · scale` of 0…255; overwritten, and kept within 0…255 */
export function spread(placed: PlacedRgb, { gain, add }: Stretch, offset: number, scale: number): void {
  const rgb = valuesOf(placed);
  const shift = ((gain - 1) * offset + add) * scale;
  const [black, white] = [-offset * scale, (255 - offset) * scale];
  for (let i = 0; i < rgb.length; i++) {
    const value = gain * rgb[i]! + shift;
    rgb[i] = value > white ? white : value < black ? black : value;
  }
}

/**
 * Brings what is very dark to where a network knows faces from: at a luma of 30 and less it sees none, and whoever makes the
 * picture lighter sees them all. What is not that dark stays as it is.
 * @param rgb `(value − offset) · scale` of 0…255; overwritten
 * @returns whether it was
 */
export function lighten(rgb: PlacedRgb, offset: number, scale: number): boolean {
  const level = levelAt(0.9 * countTones(rgb, offset, scale));
  if (level >= DARK) return false;
  spread(rgb, { gain: Math.min(MOST, LIGHT / Math.max(1, level)), add: 0 }, offset, scale);
  return true;
}

/**
 * Lightens what is dark before something bright, by a curve that leaves black and white where they are: of skin at 0.1 of its light it makes a third of white.
 * @param rgb `(value − offset) · scale` of 0…255; overwritten
 * @returns whether there was anything dark
 */
export function liftShadows(rgb: PlacedRgb, offset: number, scale: number): boolean {
  const count = countTones(rgb, offset, scale);
  let dark = 0;
  for (let value = 0; value < DARK; value++) dark += histogram[value]!;
  if (dark < MIN_SHADOW * count) return false;
  const { scratch, address, n } = rgb;
  const { curve } = tablesIn(scratch);
  const finer = (CURVE.length - 1) / 255;
  new Float32Array(scratch.buffer, curve, CURVE.length).set(CURVE.map((value) => (value - offset) * scale));
  scratch.kernels.lookUp(address, 3 * n, finer / scale, finer * offset, curve, CURVE.length);
  return true;
}

/** Fills the histogram: of a dark red picture it is the red that must not be driven to white, so the brightest channel counts. @returns how many samples are in it */
function countTones({ scratch, address, n }: PlacedRgb, offset: number, scale: number): number {
  const { counts } = tablesIn(scratch);
  const count = scratch.kernels.countTones(address, n, STRIDE, 1 / scale, offset, counts);
  histogram.set(new Uint32Array(scratch.buffer, counts, histogram.length));
  return count;
}

const tables = new WeakMap<Scratch, { readonly counts: number; readonly curve: number }>();

function tablesIn(scratch: Scratch) {
  let found = tables.get(scratch);
  if (!found) {
    found = { counts: scratch.take(4 * histogram.length), curve: scratch.take(4 * CURVE.length) };
    tables.set(scratch, found);
  }
  return found;
}
