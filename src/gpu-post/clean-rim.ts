import { CROP_SIZE } from '../core/face-track.ts';

const AREA = CROP_SIZE * CROP_SIZE;
const END = CROP_SIZE - 1;
/** Canonical pixels to either side of the outline's soft edge. */
const REACH = 2;
/** A little of a line is the shade of a jaw. */
const SHARE = 0.8;

const bytes = () => new Uint8Array(AREA);
const [luma, clean, band, one, two] = [bytes(), bytes(), bytes(), bytes(), bytes()];
/** With nothing beyond their ends. */
const line = new Uint8Array(CROP_SIZE + 4);
const across = new Uint8Array(AREA + 4 * CROP_SIZE);

/**
 * Takes dark and pale lines from a finished face's outline in place: the generator draws its own jaw with a shadow or a light behind it that is not there,
 * and the hair of somebody else's temple. Luma is closed and opened (grey-scale morphology, 5×5 canonical pixels), which takes lines of up to four pixels
 * and leaves edges where they are, and whatever is broader.
 * @param face RGBA, size² @param around RGBA 128²; A: how far inside the generated face's outline a pixel is
 */
export function cleanRim(face: Uint8Array, size: number, around: Uint8Array): void {
  const rows = markBand(around);
  if (!rows) return;
  const step = size / CROP_SIZE;
  meanLuma(face, size, step);
  largest(luma, one);
  smallest(one, two);
  smallest(two, one);
  largest(one, clean);
  blend(face, size, step, ...rows);
}

/** Where the outline's soft edge is near, faded out over two pixels. @returns first and last row of it */
function markBand(around: Uint8Array): readonly [number, number] | undefined {
  let [first, last] = [CROP_SIZE, -1];
  for (let i = 0; i < AREA; i++) {
    const inside = around[4 * i + 3]!;
    one[i] = inside > 0 && inside < 255 ? 255 : 0;
    if (one[i] === 0) continue;
    last = (i / CROP_SIZE) | 0;
    if (last < first) first = last;
  }
  if (last < 0) return undefined;
  largest(one, two);
  // Means of 3×3; the crop's edge has none.
  band.fill(0);
  for (let y = 1; y < END; y++)
    for (let x = 1, i = y * CROP_SIZE + 1; x < END; x++, i++) {
      const [up, down] = [i - CROP_SIZE, i + CROP_SIZE];
      const sides = two[up]! + two[down]! + two[i - 1]! + two[i]! + two[i + 1]!;
      band[i] = (sides + two[up - 1]! + two[up + 1]! + two[down - 1]! + two[down + 1]!) / 9;
    }
  return [Math.max(1, first - REACH - 1), Math.min(END - 1, last + REACH + 1)];
}

function meanLuma(face: Uint8Array, size: number, step: number): void {
  const share = 1 / (256 * step * step);
  for (let y = 0, at = 0; y < CROP_SIZE; y++)
    for (let x = 0; x < CROP_SIZE; x++, at++) {
      let sum = 0;
      for (let j = 0; j < step; j++)
        for (let i = 0, p = 4 * ((y * step + j) * size + x * step); i < step; i++, p += 4)
          sum += 77 * face[p]! + 150 * face[p + 1]! + 29 * face[p + 2]!;
      luma[at] = share * sum + 0.5;
    }
}

/** Largest of the 5×5 around each pixel; what lies beyond the crop's edge does not count. */
function largest(from: Uint8Array, to: Uint8Array): void {
  for (let y = 0; y < CROP_SIZE; y++) {
    const row = y * CROP_SIZE;
    line.set(from.subarray(row, row + CROP_SIZE), 2);
    for (let x = 0; x < CROP_SIZE; x++) {
      let value = line[x]!;
      if (line[x + 1]! > value) value = line[x + 1]!;
      if (line[x + 2]! > value) value = line[x + 2]!;
      if (line[x + 3]! > value) value = line[x + 3]!;
      if (line[x + 4]! > value) value = line[x + 4]!;
      across[2 * CROP_SIZE + row + x] = value;
    }
  }
  for (let i = 0; i < AREA; i++) {
    let value = across[i]!;
    if (across[i + CROP_SIZE]! > value) value = across[i + CROP_SIZE]!;
    if (across[i + 2 * CROP_SIZE]! > value) value = across[i + 2 * CROP_SIZE]!;
    if (across[i + 3 * CROP_SIZE]! > value) value = across[i + 3 * CROP_SIZE]!;
    if (across[i + 4 * CROP_SIZE]! > value) value = across[i + 4 * CROP_SIZE]!;
    to[i] = value;
  }
}

function smallest(from: Uint8Array, to: Uint8Array): void {
  for (let i = 0; i < AREA; i++) from[i]! ^= 255;
  largest(from, to);
  for (let i = 0; i < AREA; i++) {
    from[i]! ^= 255;
    to[i]! ^= 255;
  }
}

/** In the band luma becomes the clean one, at that resolution: what is left of a line between its pixels goes, too. Rows are canonical. */
function blend(face: Uint8Array, size: number, step: number, first: number, last: number): void {
  for (let y = first * step; y < (last + 1) * step; y++) {
    const v = (y + 0.5) / step - 0.5;
    const j = Math.floor(v);
    for (let x = step; x < size - step; x++) {
      const u = (x + 0.5) / step - 0.5;
      const i = Math.floor(u);
      const at = j * CROP_SIZE + i;
      const below = at + CROP_SIZE;
      if ((band[at]! | band[at + 1]! | band[below]! | band[below + 1]!) === 0) continue;
      const [a, b, c, d] = [(1 - u + i) * (1 - v + j), (u - i) * (1 - v + j), (1 - u + i) * (v - j), (u - i) * (v - j)];
      const weight = (a * band[at]! + b * band[at + 1]! + c * band[below]! + d * band[below + 1]!) * (SHARE / 255);
      const wanted = a * clean[at]! + b * clean[at + 1]! + c * clean[below]! + d * clean[below + 1]!;
      const p = 4 * (y * size + x);
      const own = (77 * face[p]! + 150 * face[p + 1]! + 29 * face[p + 2]!) / 256;
      const more = weight * (wanted - own) + 0.5;
      for (let k = p; k < p + 3; k++) {
        const value = face[k]! + more;
        face[k] = value < 0 ? 0 : value > 255 ? 255 : value;
      }
    }
  }
}
