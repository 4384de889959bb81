import { MAX_FACE_SIZE } from '../core/face-slot.ts';
import { CROP_SIZE } from '../core/face-track.ts';
import { Scratch } from '../core/simd/scratch.ts';

const AREA = CROP_SIZE * CROP_SIZE;
const END = CROP_SIZE - 1;
/** Half the side of the squares, canonical pixels: lines up to twice as wide go. */
const RADIUS = 2;
/** A little of a line is the shade of a jaw. */
const SHARE = 0.8;

/** All that is worked on, laid out once: the views stay of use. */
class Room {
  readonly kernels: Scratch['kernels'];
  readonly luma: number;
  readonly clean: number;
  readonly bandAt: number;
  readonly oneAt: number;
  readonly twoAt: number;
  readonly faceAt: number;
  readonly line: number;
  readonly across: number;
  readonly band: Uint8Array;
  readonly one: Uint8Array;
  readonly two: Uint8Array;
  readonly face: Uint8Array;

  constructor() {
    const scratch = new Scratch();
    this.kernels = scratch.kernels;
    scratch.clear();
    this.luma = scratch.take(AREA);
    this.clean = scratch.take(AREA);
    this.bandAt = scratch.take(AREA);
    this.oneAt = scratch.take(AREA);
    this.twoAt = scratch.take(AREA);
    this.faceAt = scratch.take(4 * MAX_FACE_SIZE * MAX_FACE_SIZE);
    this.line = scratch.take(2 * CROP_SIZE);
    this.across = scratch.take(AREA + 2 * RADIUS * CROP_SIZE);
    const bytes = (at: number, length: number) => new Uint8Array(scratch.buffer, at, length);
    this.band = bytes(this.bandAt, AREA);
    this.one = bytes(this.oneAt, AREA);
    this.two = bytes(this.twoAt, AREA);
    this.face = bytes(this.faceAt, 4 * MAX_FACE_SIZE * MAX_FACE_SIZE);
  }
}

let room: Room | undefined;

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
  room ??= new Room();
  const rows = markBand(around, room);
  if (!rows) return;
  // Each of four steps reaches two rows further.
  const area = wider(rows, 4 * RADIUS);
  const { kernels, faceAt, luma, clean, oneAt, twoAt, bandAt } = room;
  // No more of the face than is read.
  const rowBytes = (4 * size * size) / CROP_SIZE;
  const [from, to] = [rowBytes * area.first, rowBytes * (area.last + 1)];
  room.face.set(face.subarray(from, to), from);
  kernels.meanLuma(faceAt, size, luma, area.first, area.last);
  largest(room, luma, oneAt, area);
  smallest(room, oneAt, twoAt, area);
  smallest(room, twoAt, oneAt, area);
  largest(room, oneAt, clean, area);
  kernels.blendLuma(faceAt, size, bandAt, clean, rows.first, rows.last, SHARE);
  face.set(room.face.subarray(from, to), from);
}

/** Where the outline's soft edge is near, faded out over two pixels. @returns the rows it is in */
function markBand(around: Uint8Array, work: Room): Rows | undefined {
  const { one, two, band } = work;
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
  largest(work, work.oneAt, work.twoAt, wider(rows, 1));
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

/** Of the 5×5 around each pixel of these rows; what lies beyond them, or the crop's edge, does not count. */
function largest({ kernels, line, across }: Room, from: number, to: number, { first, last }: Rows): void {
  kernels.largest(from, to, first, last, 0, line, across);
}

function smallest({ kernels, line, across }: Room, from: number, to: number, { first, last }: Rows): void {
  kernels.largest(from, to, first, last, 255, line, across);
}
