import { CROP_SIZE } from '../core/face-track.ts';
import { Scratch } from '../core/simd/scratch.ts';

/** Part of the canonical crop, both ends included. */
export interface Extent {
  readonly x0: number;
  readonly y0: number;
  readonly x1: number;
  readonly y1: number;
}

const SIDE = 5;
const AREA = CROP_SIZE * CROP_SIZE;
/** A chin below the crop's edge would end in a straight line: the cover fades over these pixels to every edge. */
const EDGE = 2;
/** Alpha by how many of the 5×5 are mask. */
const ALPHA = Uint8Array.from({ length: SIDE * SIDE + 1 }, (_, sum) =>
  Math.round(255 * Math.max(0, Math.min(1, (sum / (SIDE * SIDE) - 0.5) / 0.35))),
);

/** Laid out once: the views stay of use. */
class Room {
  readonly kernels: Scratch['kernels'];
  readonly at: { readonly [K in 'mask' | 'skin' | 'alpha' | 'pairs' | 'table' | 'line' | 'across']: number };
  readonly mask: Uint8Array;
  readonly skin: Uint8Array;
  readonly alpha: Uint8Array;
  readonly pairs: Uint8Array;

  constructor() {
    const scratch = new Scratch();
    this.kernels = scratch.kernels;
    const [mask, skin, alpha, across] = [AREA, AREA, AREA, AREA].map((bytes) => scratch.take(bytes)) as Four;
    const [pairs, table, line] = [scratch.take(2 * AREA), scratch.take(32), scratch.take(2 * CROP_SIZE)];
    this.at = { mask, skin, alpha, pairs, table, line, across };
    new Uint8Array(scratch.buffer, table, 32).set(ALPHA);
    const view = (at: number, length: number) => new Uint8Array(scratch.buffer, at, length);
    [this.mask, this.skin, this.alpha] = [view(mask, AREA), view(skin, AREA), view(alpha, AREA)];
    this.pairs = view(pairs, 2 * AREA);
  }
}

type Four = [number, number, number, number];

let room: Room | undefined;

/**
 * Alpha of the face: 255 where at least 85 % of the 5×5 neighbours are mask, 0 up to one half, linear between: the mask
 * is dilated by more than that width, so the face's own hull keeps full cover up to the edge of the crop.
 * @param mask 128² bytes, 0 or 255 @param skin the same, handed through @param out 128² pairs: skin, alpha
 * @returns where alpha is not 0; `undefined` when nowhere
 */
export function softenMask(mask: Uint8Array, skin: Uint8Array, out: Uint8Array): Extent | undefined {
  room ??= new Room();
  const { kernels, at, alpha } = room;
  room.mask.set(mask);
  room.skin.set(skin);
  kernels.softened(at.mask, at.alpha, at.table, at.line, at.across);
  fadeToEdge(alpha);
  kernels.interleave(at.skin, at.alpha, at.pairs, AREA);
  out.set(room.pairs);
  return extentOf(alpha);
}

function fadeToEdge(alpha: Uint8Array): void {
  for (let inside = 0; inside < EDGE; inside++) {
    const most = Math.round((255 * inside) / EDGE);
    const [first, last] = [inside, CROP_SIZE - 1 - inside];
    for (let k = first; k <= last; k++)
      for (const i of [first * CROP_SIZE + k, last * CROP_SIZE + k, k * CROP_SIZE + first, k * CROP_SIZE + last])
        if (alpha[i]! > most) alpha[i] = most;
  }
}

function extentOf(alpha: Uint8Array): Extent | undefined {
  const words = new Int32Array(alpha.buffer, alpha.byteOffset, AREA / 4);
  const perRow = CROP_SIZE / 4;
  let [x0, y0, x1, y1] = [CROP_SIZE, CROP_SIZE, -1, -1];
  for (let y = 0; y < CROP_SIZE; y++) {
    const row = y * CROP_SIZE;
    const [from, to] = [(y * perRow) | 0, ((y + 1) * perRow) | 0];
    let first = from;
    while (first < to && words[first] === 0) first++;
    if (first === to) continue;
    let last = to - 1;
    while (words[last] === 0) last--;
    let [left, right] = [4 * (first - from), 4 * (last - from) + 3];
    while (alpha[row + left] === 0) left++;
    while (alpha[row + right] === 0) right--;
    [x0, x1] = [Math.min(x0, left), Math.max(x1, right)];
    if (y0 === CROP_SIZE) y0 = y;
    y1 = y;
  }
  return x1 < 0 ? undefined : { x0, y0, x1, y1 };
}
