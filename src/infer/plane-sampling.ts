import type { Affine } from '../core/face-track.ts';
import { AxisTable, COLUMN_UNIT, ROW_UNIT, tapsFor } from './axis-table.ts';
import { addSlantingRow } from './slanting-row.ts';

/** Destination rows made together: start and weights of a column are read once for all of them, which halves the time. */
const LANES = 4;

/** Weighted sum of `plane`'s rows for destination sample `v` over the columns in use, from `sums[first]` on. */
function addRows(
  sums: Int32Array,
  first: number,
  plane: Uint8Array,
  stride: number,
  rows: AxisTable,
  v: number,
  columns: AxisTable,
): void {
  const { weights, taps } = rows;
  const from = columns.lowest;
  const to = columns.highest + 1;
  let k = v * taps;
  let end = k + taps;
  let base = rows.start[v]! * stride;
  for (; k < end - 1 && weights[k] === 0; k++) base += stride;
  while (end > k + 1 && weights[end - 1] === 0) end--;
  for (let fresh = true; k < end; k += 4, base += 4 * stride, fresh = false) {
    const count = end - k;
    const w0 = weights[k]!;
    let i = first + from;
    if (count === 1) {
      for (let x = from; x < to; x++, i++) sums[i] = (fresh ? 0 : sums[i]!) + Math.imul(w0, plane[base + x]!);
      continue;
    }
    const w1 = weights[k + 1]!;
    const b1 = base + stride;
    if (count === 2) {
      for (let x = from; x < to; x++, i++) {
        const both = Math.imul(w0, plane[base + x]!) + Math.imul(w1, plane[b1 + x]!);
        sums[i] = (fresh ? 0 : sums[i]!) + both;
      }
      continue;
    }
    const w2 = weights[k + 2]!;
    const w3 = count > 3 ? weights[k + 3]! : 0;
    const b2 = b1 + stride;
    const b3 = count > 3 ? b2 + stride : b2;
    for (let x = from; x < to; x++, i++) {
      const upper = Math.imul(w0, plane[base + x]!) + Math.imul(w1, plane[b1 + x]!);
      const lower = Math.imul(w2, plane[b2 + x]!) + Math.imul(w3, plane[b3 + x]!);
      sums[i] = (fresh ? 0 : sums[i]!) + upper + lower;
    }
  }
}

/**
 * Four destination rows out of the summed rows.
 * @param length from one summed row to the next @param at where the first row's first sample goes @param across from one sample of a row to the next in `out`
 * @param down from one row to the next
 */
function addColumns(
  sums: Int32Array,
  length: number,
  { start, weights, taps, size, uniform }: AxisTable,
  out: Float32Array,
  at: number,
  across: number,
  down: number,
): void {
  const scale = uniform > 0 ? 1 / (uniform * ROW_UNIT) : 1 / (ROW_UNIT * COLUMN_UNIT);
  const [second, third, fourth] = [down, 2 * down, 3 * down];
  const [l1, l2, l3] = [length, 2 * length, 3 * length];
  if (uniform === 1) {
    for (let u = 0, to = at; u < size; u++, to += across) {
      const x = start[u]!;
      out[to] = sums[x]! * scale;
      out[to + second] = sums[x + l1]! * scale;
      out[to + third] = sums[x + l2]! * scale;
      out[to + fourth] = sums[x + l3]! * scale;
    }
  } else if (uniform > 0) {
    for (let u = 0, to = at; u < size; u++, to += across) {
      let [a, b, c, d] = [0, 0, 0, 0];
      for (let x = start[u]!, end = x + uniform; x < end; x++) {
        a += sums[x]!;
        b += sums[x + l1]!;
        c += sums[x + l2]!;
        d += sums[x + l3]!;
      }
      out[to] = a * scale;
      out[to + second] = b * scale;
      out[to + third] = c * scale;
      out[to + fourth] = d * scale;
    }
  } else if (taps === 2) {
    for (let u = 0, k = 0, to = at; u < size; u++, k += 2, to += across) {
      const x = start[u]!;
      const w0 = weights[k]!;
      const w1 = weights[k + 1]!;
      out[to] = (Math.imul(sums[x]!, w0) + Math.imul(sums[x + 1]!, w1)) * scale;
      out[to + second] = (Math.imul(sums[x + l1]!, w0) + Math.imul(sums[x + l1 + 1]!, w1)) * scale;
      out[to + third] = (Math.imul(sums[x + l2]!, w0) + Math.imul(sums[x + l2 + 1]!, w1)) * scale;
      out[to + fourth] = (Math.imul(sums[x + l3]!, w0) + Math.imul(sums[x + l3 + 1]!, w1)) * scale;
    }
  } else {
    for (let u = 0, k = 0, to = at; u < size; u++, to += across) {
      let [a, b, c, d] = [0, 0, 0, 0];
      for (let x = start[u]!, end = x + taps; x < end; x++, k++) {
        const w = weights[k]!;
        a += Math.imul(sums[x]!, w);
        b += Math.imul(sums[x + l1]!, w);
        c += Math.imul(sums[x + l2]!, w);
        d += Math.imul(sums[x + l3]!, w);
      }
      out[to] = a * scale;
      out[to + second] = b * scale;
      out[to + third] = c * scale;
      out[to + fourth] = d * scale;
    }
  }
}

/** A row that is neither reduced nor moved by parts of a sample. */
function copyRow(
  plane: Uint8Array,
  base: number,
  { start, size }: AxisTable,
  out: Float32Array,
  at: number,
  across: number,
): void {
  for (let u = 0, to = at; u < size; u++, to += across) out[to] = plane[base + start[u]!]!;
}

/**
 * Samples one plane into a fixed size: bilinear, edge samples repeated, averaged over a grid of taps when reducing.
 * Windows that are not turned go a row at a time, which is several times faster than point by point.
 */
export class PlaneSampler {
  readonly width: number;
  readonly height: number;
  readonly #mirrored: boolean;
  /** Along the destination's axes, upright and for a quarter turn. */
  readonly #x: readonly [AxisTable, AxisTable];
  readonly #y: readonly [AxisTable, AxisTable];
  /** Four rows. */
  #sums = new Int32Array(0);

  /**
   * @param width of the destination, as `height` at least 4
   * @param mirrored left and right of the plane its mirror image, and not its edge, in what is not turned by a quarter
   */
  constructor(width: number, height: number, mirrored = false) {
    this.width = width;
    this.height = height;
    this.#mirrored = mirrored;
    this.#x = [new AxisTable(width, COLUMN_UNIT), new AxisTable(width, ROW_UNIT)];
    this.#y = [new AxisTable(height, ROW_UNIT), new AxisTable(height, COLUMN_UNIT)];
  }

  /** @param s destination sample → plane sample, sample centres at integers; @param out width·height values 0…255 */
  sample(plane: Uint8Array, planeWidth: number, planeHeight: number, s: Affine, out: Float32Array): void {
    if (s.b === 0 && s.d === 0) this.#resize(plane, planeWidth, planeHeight, s, out);
    else if (s.a === 0 && s.e === 0) this.#resizeTurned(plane, planeWidth, planeHeight, s, out);
    else this.#warp(plane, planeWidth, planeHeight, s, out);
  }

  #resize(plane: Uint8Array, pw: number, ph: number, s: Affine, out: Float32Array): void {
    const [columns, rows] = [this.#x[0], this.#y[0]];
    columns.prepare(s.a, s.c, pw, this.#mirrored);
    rows.prepare(s.e, s.f, ph);
    this.#allRows(plane, pw, columns, rows, out, 1, columns.size);
  }

  /** A quarter turn: the plane's rows are the destination's columns. */
  #resizeTurned(plane: Uint8Array, pw: number, ph: number, s: Affine, out: Float32Array): void {
    const [columns, rows] = [this.#y[1], this.#x[1]];
    columns.prepare(s.b, s.c, pw);
    rows.prepare(s.d, s.f, ph);
    this.#allRows(plane, pw, columns, rows, out, this.width, 1);
  }

  /** @param across from one sample to the next of what `columns` runs along, in `out` @param down and of `rows` */
  #allRows(
    plane: Uint8Array,
    pw: number,
    columns: AxisTable,
    rows: AxisTable,
    out: Float32Array,
    across: number,
    down: number,
  ): void {
    if (this.#sums.length < LANES * pw) this.#sums = new Int32Array(LANES * pw);
    const n = columns.size;
    let before = -1;
    for (let v = 0; v < rows.size; ) {
      const single = rows.single(v);
      // A letterbox repeats the picture's edge: the same row again.
      if (single >= 0 && single === before && across === 1)
        out.copyWithin(v * down, (v - 1) * down, (v - 1) * down + n);
      else if (single >= 0 && columns.uniform === 1) copyRow(plane, single * pw, columns, out, v * down, across);
      else {
        // Where the last ones are fewer, some are made again.
        v = Math.min(v, rows.size - LANES);
        for (let lane = 0; lane < LANES; lane++) {
          addRows(this.#sums, lane * pw, plane, pw, rows, v + lane, columns);
        }
        addColumns(this.#sums, pw, columns, out, v * down, across, down);
        v += LANES - 1;
      }
      before = rows.single(v);
      v++;
    }
  }

  #warp(plane: Uint8Array, pw: number, ph: number, s: Affine, out: Float32Array): void {
    const { width, height } = this;
    // A bilinear tap spans two samples: taps every other sample are enough.
    const taps = tapsFor(Math.max(Math.hypot(s.a, s.d), Math.hypot(s.b, s.e)) / 2);
    const weight = 1 / (taps * taps);
    out.fill(0);
    // All taps of a row at once: what they read of the plane is near.
    for (let v = 0; v < height; v++) {
      for (let j = 0; j < taps; j++) {
        for (let i = 0; i < taps; i++) {
          const du = (i + 0.5) / taps - 0.5;
          const dv = (j + 0.5) / taps - 0.5;
          const x = s.a * du + s.b * (v + dv) + s.c;
          const y = s.d * du + s.e * (v + dv) + s.f;
          addSlantingRow(plane, pw, ph, x, y, s, weight, out, v * width, width);
        }
      }
    }
  }
}

/** The same sampling on a chroma plane of 4:2:0, whose samples lie between the luma samples. */
export const onChroma = (s: Affine): Affine => ({
  a: s.a / 2,
  b: s.b / 2,
  c: (s.c - 0.5) / 2,
  d: s.d / 2,
  e: s.e / 2,
  f: (s.f - 0.5) / 2,
});
