import type { Affine } from '../core/face-track.ts';
import { AxisTable, COLUMN_UNIT, ROW_UNIT, tapsFor } from './axis-table.ts';

/** Columns of the block that a quarter turn is written in: single columns would touch a new cache line with each sample. */
const BLOCK = 8;

/** Weighted sum of `plane`'s rows for destination sample `v` over the columns [from, to), up to four rows at a pass. */
function addRows(row: Int32Array, plane: Uint8Array, stride: number, rows: AxisTable, v: number, columns: AxisTable) {
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
    if (count === 1) {
      for (let x = from; x < to; x++) row[x] = (fresh ? 0 : row[x]!) + Math.imul(w0, plane[base + x]!);
      continue;
    }
    const w1 = weights[k + 1]!;
    const b1 = base + stride;
    if (count === 2) {
      if (fresh)
        for (let x = from; x < to; x++) row[x] = Math.imul(w0, plane[base + x]!) + Math.imul(w1, plane[b1 + x]!);
      else for (let x = from; x < to; x++) row[x]! += Math.imul(w0, plane[base + x]!) + Math.imul(w1, plane[b1 + x]!);
      continue;
    }
    const w2 = weights[k + 2]!;
    const w3 = count > 3 ? weights[k + 3]! : 0;
    const b2 = b1 + stride;
    const b3 = count > 3 ? b2 + stride : b2;
    for (let x = from; x < to; x++) {
      const upper = Math.imul(w0, plane[base + x]!) + Math.imul(w1, plane[b1 + x]!);
      const lower = Math.imul(w2, plane[b2 + x]!) + Math.imul(w3, plane[b3 + x]!);
      row[x] = (fresh ? 0 : row[x]!) + upper + lower;
    }
  }
}

/** One destination row out of the summed row, at `out[at]` and on. */
function addColumns(row: Int32Array, columns: AxisTable, out: Float32Array, at: number): void {
  const { start, weights, taps, size, uniform } = columns;
  const scale = 1 / (ROW_UNIT * COLUMN_UNIT);
  if (uniform === 4) {
    for (let u = 0; u < size; u++) {
      const x = start[u]!;
      out[at + u] = (row[x]! + row[x + 1]! + row[x + 2]! + row[x + 3]!) * (0.25 / ROW_UNIT);
    }
  } else if (uniform === 2) {
    for (let u = 0; u < size; u++) out[at + u] = (row[start[u]!]! + row[start[u]! + 1]!) * (0.5 / ROW_UNIT);
  } else if (uniform === 1) {
    for (let u = 0; u < size; u++) out[at + u] = row[start[u]!]! * (1 / ROW_UNIT);
  } else if (taps === 2) {
    for (let u = 0; u < size; u++) {
      const x = start[u]!;
      out[at + u] = (Math.imul(row[x]!, weights[2 * u]!) + Math.imul(row[x + 1]!, weights[2 * u + 1]!)) * scale;
    }
  } else if (taps === 3) {
    for (let u = 0, k = 0; u < size; u++, k += 3) {
      const x = start[u]!;
      const outer = Math.imul(row[x]!, weights[k]!) + Math.imul(row[x + 2]!, weights[k + 2]!);
      out[at + u] = (outer + Math.imul(row[x + 1]!, weights[k + 1]!)) * scale;
    }
  } else {
    for (let u = 0, k = 0; u < size; u++) {
      let sum = 0;
      for (let x = start[u]!, end = x + taps; x < end; x++, k++) sum += Math.imul(row[x]!, weights[k]!);
      out[at + u] = sum * scale;
    }
  }
}

/** A row that is neither reduced nor moved by parts of a sample. */
function copyRow(plane: Uint8Array, base: number, { start, size }: AxisTable, out: Float32Array, at: number): void {
  for (let u = 0; u < size; u++) out[at + u] = plane[base + start[u]!]!;
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
  #row = new Int32Array(0);
  readonly #block: Float32Array;

  /** @param mirrored left and right of the plane its mirror image, and not its edge, in what is not turned by a quarter */
  constructor(width: number, height: number, mirrored = false) {
    this.width = width;
    this.height = height;
    this.#mirrored = mirrored;
    this.#block = new Float32Array(BLOCK * Math.max(width, height));
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
    const n = columns.size;
    let before = -1;
    for (let v = 0; v < rows.size; v++) {
      const single = rows.single(v);
      // A letterbox repeats the picture's edge: the same row again.
      if (single >= 0 && single === before) out.copyWithin(v * n, (v - 1) * n, v * n);
      else this.#oneRow(plane, pw, columns, rows, v, single, out, v * n);
      before = single;
    }
  }

  /** A quarter turn: the plane's rows are the destination's columns. */
  #resizeTurned(plane: Uint8Array, pw: number, ph: number, s: Affine, out: Float32Array): void {
    const [columns, rows] = [this.#y[1], this.#x[1]];
    columns.prepare(s.b, s.c, pw);
    rows.prepare(s.d, s.f, ph);
    const n = columns.size;
    const block = this.#block;
    for (let v = 0; v < rows.size; v += BLOCK) {
      const count = Math.min(BLOCK, rows.size - v);
      for (let i = 0; i < count; i++) this.#oneRow(plane, pw, columns, rows, v + i, rows.single(v + i), block, i * n);
      for (let u = 0; u < n; u++) {
        const at = u * this.width + v;
        for (let i = 0; i < count; i++) out[at + i] = block[i * n + u]!;
      }
    }
  }

  #oneRow(
    plane: Uint8Array,
    pw: number,
    columns: AxisTable,
    rows: AxisTable,
    v: number,
    single: number,
    out: Float32Array,
    at: number,
  ): void {
    if (single >= 0 && columns.uniform === 1) {
      copyRow(plane, single * pw, columns, out, at);
      return;
    }
    if (this.#row.length < pw) this.#row = new Int32Array(pw);
    addRows(this.#row, plane, pw, rows, v, columns);
    addColumns(this.#row, columns, out, at);
  }

  #warp(plane: Uint8Array, pw: number, ph: number, s: Affine, out: Float32Array): void {
    const { width, height } = this;
    // A bilinear tap spans two samples: taps every other sample are enough.
    const taps = tapsFor(Math.max(Math.hypot(s.a, s.d), Math.hypot(s.b, s.e)) / 2);
    const weight = 1 / (taps * taps);
    const maxX = pw - 1;
    const maxY = ph - 1;
    for (let j = 0; j < taps; j++) {
      for (let i = 0; i < taps; i++) {
        const du = (i + 0.5) / taps - 0.5;
        const dv = (j + 0.5) / taps - 0.5;
        const fresh = i === 0 && j === 0;
        let at = 0;
        for (let v = 0; v < height; v++) {
          let px = s.a * du + s.b * (v + dv) + s.c;
          let py = s.d * du + s.e * (v + dv) + s.f;
          const [endX, endY] = [px + s.a * (width - 1), py + s.d * (width - 1)];
          // The usual row lies inside the picture, and none of its samples needs to be asked.
          const inside =
            Math.min(px, endX) >= 0 &&
            Math.max(px, endX) < maxX - 1e-3 &&
            Math.min(py, endY) >= 0 &&
            Math.max(py, endY) < maxY - 1e-3;
          if (inside) {
            for (const end = at + width; at < end; at++, px += s.a, py += s.d) {
              const x0 = px | 0;
              const y0 = py | 0;
              const fx = px - x0;
              const first = (Math.imul(y0, pw) + x0) | 0;
              const corner = plane[first]!;
              const low = plane[first + pw]!;
              const top = corner + (plane[first + 1]! - corner) * fx;
              const bottom = low + (plane[first + pw + 1]! - low) * fx;
              const value = weight * (top + (bottom - top) * (py - y0));
              out[at] = fresh ? value : out[at]! + value;
            }
            continue;
          }
          for (let u = 0; u < width; u++, at++, px += s.a, py += s.d) {
            const x = px < 0 ? 0 : px > maxX ? maxX : px;
            const y = py < 0 ? 0 : py > maxY ? maxY : py;
            const x0 = x | 0;
            const y0 = y | 0;
            const fx = x - x0;
            const first = (Math.imul(y0, pw) + x0) | 0;
            const right = x0 < maxX ? 1 : 0;
            const below = y0 < maxY ? pw : 0;
            const corner = plane[first]!;
            const low = plane[first + below]!;
            const top = corner + (plane[first + right]! - corner) * fx;
            const bottom = low + (plane[first + below + right]! - low) * fx;
            const value = weight * (top + (bottom - top) * (y - y0));
            out[at] = fresh ? value : out[at]! + value;
          }
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
