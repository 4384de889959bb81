import { CROP_SIZE } from '../core/face-track.ts';

const AREA = CROP_SIZE * CROP_SIZE;
const END = CROP_SIZE - 1;
/** Half the side of the squares, canonical pixels: lines up to twice as wide go. */
const RADIUS = 2;
/** A little of a line is the shade of a jaw. */
const SHARE = 0.8;

const bytes = () => new Uint8Array(AREA);
const [luma, clean, band, one, two] = [bytes(), bytes(), bytes(), bytes(), bytes()];
/** With nothing beyond their ends. */
const line = new Uint8Array(CROP_SIZE + 2 * RADIUS);
const pairs = new Uint8Array(CROP_SIZE + RADIUS);
const across = new Uint8Array(AREA + 2 * RADIUS * CROP_SIZE);

/** Rows of the canonical crop, both ends included. */
interface Rows {
  readonly first: number;
  readonly last: number;
}

const wider = ({ first, last }: Rows, by: number): Rows => ({
  first: Math.max(0, first - by),
  last: Math.min(END, last + by),
});

/**
 * Takes dark and pale lines from a finished face's outline in place: the generator draws its own jaw with a shadow or a light behind it that is not there,
 * and the hair of somebody else's temple. Luma is closed and opened (grey-scale morphology, 5×5 canonical pixels), which takes lines of up to four pixels
 * and leaves edges where they are, and whatever is broader.
 * @param face RGBA, size² @param around RGBA 128²; A: how far inside the generated face's outline a pixel is
 */
export function cleanRim(face: Uint8Array, size: number, around: Uint8Array): void {
  const rows = markBand(around);
  if (!rows) return;
  // Each of four steps reaches two rows further.
  const area = wider(rows, 4 * RADIUS);
  meanLuma(face, size, area);
  largest(luma, one, area);
  smallest(one, two, area);
  smallest(two, one, area);
  largest(one, clean, area);
  blend(face, size, rows);
}

/** Where the outline's soft edge is near, faded out over two pixels. @returns the rows it is in */
function markBand(around: Uint8Array): Rows | undefined {
  let [first, last] = [CROP_SIZE, -1];
  for (let i = 0; i < AREA; i++) {
    const inside = around[4 * i + 3]!;
    one[i] = inside > 0 && inside < 255 ? 255 : 0;
    if (one[i] === 0) continue;
    last = (i / CROP_SIZE) | 0;
    if (last < first) first = last;
  }
  if (last < 0) return undefined;
  const rows = wider({ first, last }, RADIUS + 1);
  largest(one, two, wider(rows, 1));
  band.fill(0);
  // Means of 3×3; the crop's edge has none.
  for (let y = Math.max(1, rows.first); y < Math.min(END, rows.last + 1); y++)
    for (let x = 1, i = y * CROP_SIZE + 1; x < END; x++, i++) {
      const [up, down] = [i - CROP_SIZE, i + CROP_SIZE];
      const sides = two[up]! + two[down]! + two[i - 1]! + two[i]! + two[i + 1]!;
      band[i] = (sides + two[up - 1]! + two[up + 1]! + two[down - 1]! + two[down + 1]!) / 9;
    }
  return rows;
}

function meanLuma(face: Uint8Array, size: number, { first, last }: Rows): void {
  const step = size / CROP_SIZE;
  const share = 1 / (256 * step * step);
  for (let y = first, at = first * CROP_SIZE; y <= last; y++)
    for (let x = 0; x < CROP_SIZE; x++, at++) {
      let sum = 0;
      for (let j = 0; j < step; j++)
        for (let i = 0, p = 4 * ((y * step + j) * size + x * step); i < step; i++, p += 4)
          sum += 77 * face[p]! + 150 * face[p + 1]! + 29 * face[p + 2]!;
      luma[at] = share * sum + 0.5;
    }
}

/** Largest of the 5×5 around each pixel of these rows; what lies beyond them, or the crop's edge, does not count. */
function largest(from: Uint8Array, to: Uint8Array, { first, last }: Rows): void {
  for (let y = first; y <= last; y++) {
    const row = y * CROP_SIZE;
    for (let x = 0; x < CROP_SIZE; x++) line[x + RADIUS] = from[row + x]!;
    for (let x = 0; x < pairs.length; x++) pairs[x] = line[x]! > line[x + 1]! ? line[x]! : line[x + 1]!;
    for (let x = 0, at = row + RADIUS * CROP_SIZE; x < CROP_SIZE; x++, at++) {
      let value = line[x + 4]!;
      if (pairs[x]! > value) value = pairs[x]!;
      if (pairs[x + 2]! > value) value = pairs[x + 2]!;
      across[at] = value;
    }
  }
  across.fill(0, first * CROP_SIZE, (first + RADIUS) * CROP_SIZE);
  across.fill(0, (last + RADIUS + 1) * CROP_SIZE, (last + 2 * RADIUS + 1) * CROP_SIZE);
  for (let i = first * CROP_SIZE; i < (last + 1) * CROP_SIZE; i++) {
    let value = across[i]!;
    if (across[i + CROP_SIZE]! > value) value = across[i + CROP_SIZE]!;
    if (across[i + 2 * CROP_SIZE]! > value) value = across[i + 2 * CROP_SIZE]!;
    if (across[i + 3 * CROP_SIZE]! > value) value = across[i + 3 * CROP_SIZE]!;
    if (across[i + 4 * CROP_SIZE]! > value) value = across[i + 4 * CROP_SIZE]!;
    to[i] = value;
  }
}

/** @param from left inverted */
function smallest(from: Uint8Array, to: Uint8Array, rows: Rows): void {
  const [start, end] = [rows.first * CROP_SIZE, (rows.last + 1) * CROP_SIZE];
  for (let i = start; i < end; i++) from[i]! ^= 255;
  largest(from, to, rows);
  for (let i = start; i < end; i++) to[i]! ^= 255;
}

/** In the band luma becomes the clean one, at that resolution: what is left of a line between its pixels goes, too. */
function blend(face: Uint8Array, size: number, { first, last }: Rows): void {
  const step = size / CROP_SIZE;
  // Between the middles of four canonical pixels lie step × step of the face's.
  const begin = Math.ceil((step - 1) / 2);
  for (let j = Math.max(0, first - 1); j < Math.min(END, last + 1); j++) {
    for (let i = 0, at = j * CROP_SIZE; i < END; i++, at++) {
      if ((band[at]! | band[at + 1]! | band[at + CROP_SIZE]! | band[at + CROP_SIZE + 1]!) === 0) continue;
      for (let y = j * step + begin; y < (j + 1) * step + begin; y++)
        for (let x = i * step + begin; x < (i + 1) * step + begin; x++)
          blendPixel(face, 4 * (y * size + x), at, (x + 0.5) / step - 0.5 - i, (y + 0.5) / step - 0.5 - j);
    }
  }
}

function blendPixel(face: Uint8Array, p: number, at: number, right: number, lower: number): void {
  const below = at + CROP_SIZE;
  const [left, upper] = [1 - right, 1 - lower];
  const near =
    upper * (left * band[at]! + right * band[at + 1]!) + lower * (left * band[below]! + right * band[below + 1]!);
  const wanted =
    upper * (left * clean[at]! + right * clean[at + 1]!) + lower * (left * clean[below]! + right * clean[below + 1]!);
  const own = (77 * face[p]! + 150 * face[p + 1]! + 29 * face[p + 2]!) / 256;
  const more = (SHARE / 255) * near * (wanted - own) + 0.5;
  for (let k = p; k < p + 3; k++) {
    const value = face[k]! + more;
    face[k] = value < 0 ? 0 : value > 255 ? 255 : value;
  }
}
