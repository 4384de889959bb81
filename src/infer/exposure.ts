/** Share of the range [0, 1] that the tones of a crop span behind haze or in the dark, and from which nothing is wrong with them. */
const [PALE, FULL] = [0.28, 0.42];
/** To what such tones are brought. */
const [BLACK, WHITE] = [0.08, 0.8];
/** Noise grows as much. */
const MOST = 8;
/** Every so many pixels are looked at: odd, so that columns take turns. */
const STRIDE = 7;
const BINS = 256;
const histogram = new Uint32Array(BINS);

/** `v → gain · v + offset`, v in [−1, 1]. */
export interface Exposure {
  readonly gain: number;
  readonly offset: number;
}

const AS_IT_IS: Exposure = { gain: 1, offset: 0 };

/**
 * How a crop's tones are spread for a generator that learnt under good light: in the dark and behind haze it draws blots. What it draws is brought
 * back to the crop's own tones by the reverse. Two numbers of the picture, the face in it included, which is bright where its surroundings are dark.
 * @param rgb planar, 3·n numbers, [−1, 1]
 */
export function exposureOf(rgb: Float32Array): Exposure {
  const n = rgb.length / 3;
  histogram.fill(0);
  let count = 0;
  for (let i = 0; i < n; i += STRIDE, count++) {
    const luma = 0.299 * rgb[i]! + 0.587 * rgb[n + i]! + 0.114 * rgb[2 * n + i]!;
    const bin = Math.round((luma + 1) * 127.5);
    histogram[bin < 0 ? 0 : bin > 255 ? 255 : bin]!++;
  }
  const [low, high] = [levelAt(count / 50), levelAt(0.98 * count)];
  const range = Math.max(high - low, 1 / BINS);
  const t = Math.max(0, Math.min(1, (FULL - range) / (FULL - PALE)));
  const share = t * t * (3 - 2 * t);
  if (share === 0) return AS_IT_IS;
  const [black, white] = [low + share * (BLACK - low), high + share * (WHITE - high)];
  const gain = Math.min(MOST, (white - black) / range);
  // In [0, 1] black = gain · low + add.
  return { gain, offset: gain - 1 + 2 * (black - gain * low) };
}

/** The value in [0, 1] that so many of the histogram's samples do not exceed. */
function levelAt(count: number): number {
  let level = 0;
  for (let below = histogram[0]!; level < BINS - 1 && below < count; ) below += histogram[++level]!;
  return level / (BINS - 1);
}

/** Spreads tones in place, within [−1, 1]. */
export function expose(rgb: Float32Array, { gain, offset }: Exposure): void {
  if (gain === 1 && offset === 0) return;
  for (let i = 0; i < rgb.length; i++) {
    const v = gain * rgb[i]! + offset;
    rgb[i] = v < -1 ? -1 : v > 1 ? 1 : v;
  }
}

/** The reverse of `expose`, in place. */
export function unexpose(face: Float32Array, { gain, offset }: Exposure): void {
  if (gain === 1 && offset === 0) return;
  for (let i = 0; i < face.length; i++) face[i] = (face[i]! - offset) / gain;
}
