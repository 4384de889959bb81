import type { Affine } from '../core/face-track.ts';

/** Taps each way that keep a reduction from aliasing; four are enough for a film of 4K. */
function tapsFor(step: number): number {
  return Math.max(1, Math.min(4, Math.round(step)));
}

/** Rows are added up in whole numbers (weights in 1/4096), which is twice as fast as in float. */
const FIXED = 4096;
const UNIT = 1 / FIXED;

/** Weighted sum of the rows `list[r0…r1)` over the columns [from, to), up to four rows at a pass. */
function addRows(
  row: Int32Array,
  plane: Uint8Array,
  stride: number,
  rows: AxisTable,
  v: number,
  from: number,
  to: number,
) {
  const end = rows.first[v + 1]!;
  for (let r = rows.first[v]!, fresh = true; r < end; r += 4, fresh = false) {
    const at = (k: number) => (r + k < end ? rows.indices[r + k]! : rows.indices[r]!) * stride;
    const part = (k: number) => (r + k < end ? Math.round(rows.weights[r + k]! * FIXED) : 0);
    const [b0, b1, b2, b3] = [at(0), at(1), at(2), at(3)];
    const [w0, w1, w2, w3] = [part(0), part(1), part(2), part(3)];
    if (end - r === 1) {
      for (let x = from; x < to; x++) row[x] = (fresh ? 0 : row[x]!) + w0 * plane[b0 + x]!;
    } else if (end - r === 2) {
      for (let x = from; x < to; x++) row[x] = (fresh ? 0 : row[x]!) + w0 * plane[b0 + x]! + w1 * plane[b1 + x]!;
    } else {
      for (let x = from; x < to; x++) {
        const sum = w0 * plane[b0 + x]! + w1 * plane[b1 + x]! + w2 * plane[b2 + x]! + w3 * plane[b3 + x]!;
        row[x] = (fresh ? 0 : row[x]!) + sum;
      }
    }
  }
}

/** One destination row out of the summed row: `out[at]`, `out[at + stride]`, … */
function addColumns(row: Int32Array, columns: AxisTable, out: Float32Array, at: number, stride: number): void {
  const { indices, weights, first, size, uniform } = columns;
  if (uniform === 4) {
    for (let u = 0; u < size; u++, at += stride) {
      const x = indices[4 * u]!;
      out[at] = (row[x]! + row[x + 1]! + row[x + 2]! + row[x + 3]!) * (UNIT / 4);
    }
  } else if (uniform === 2) {
    for (let u = 0; u < size; u++, at += stride)
      out[at] = (row[indices[2 * u]!]! + row[indices[2 * u + 1]!]!) * (UNIT / 2);
  } else if (uniform === 1) {
    for (let u = 0; u < size; u++, at += stride) out[at] = row[indices[u]!]! * UNIT;
  } else {
    for (let u = 0; u < size; u++, at += stride) {
      let sum = 0;
      const end = first[u + 1]!;
      for (let c = first[u]!; c < end; c++) sum += weights[c]! * row[indices[c]!]!;
      out[at] = sum * UNIT;
    }
  }
}

/** A row that is neither reduced nor moved by parts of a sample. */
function copyRow(
  plane: Uint8Array,
  base: number,
  columns: AxisTable,
  out: Float32Array,
  at: number,
  stride: number,
): void {
  const { indices, size } = columns;
  for (let u = 0; u < size; u++, at += stride) out[at] = plane[base + indices[u]!]!;
}

/** One axis of a resize as a list of source samples with weights per destination sample, edge samples repeated. */
class AxisTable {
  readonly size: number;
  readonly indices: Int32Array;
  readonly weights: Float32Array;
  /** Where each destination sample's list begins; one more entry closes the last. */
  readonly first: Int32Array;
  /** Samples in every list when all lists are neighbours of equal weight (a whole-numbered step), else 0. */
  uniform = 0;
  /** Range of the source samples in use. */
  lowest = 0;
  highest = 0;

  constructor(size: number) {
    this.size = size;
    this.indices = new Int32Array(size * 8);
    this.weights = new Float32Array(size * 8);
    this.first = new Int32Array(size + 1);
  }

  prepare(step: number, start: number, length: number): void {
    const taps = tapsFor(Math.abs(step));
    this.lowest = length;
    this.highest = 0;
    let at = 0;
    for (let u = 0; u < this.size; u++) {
      this.first[u] = at;
      for (let i = 0; i < taps; i++) {
        const x = Math.max(0, Math.min(length - 1, step * (u + (i + 0.5) / taps - 0.5) + start));
        const low = Math.floor(x);
        const part = x - low;
        at = this.#add(at, u, low, (1 - part) / taps);
        at = this.#add(at, u, Math.min(low + 1, length - 1), part / taps);
      }
    }
    this.first[this.size] = at;
    this.uniform = this.#uniformCount();
  }

  #uniformCount(): number {
    const count = this.first[1]!;
    if (count !== 1 && count !== 2 && count !== 4) return 0;
    for (let u = 0; u < this.size; u++) {
      const at = this.first[u]!;
      if (this.first[u + 1]! - at !== count) return 0;
      for (let i = 0; i < count; i++) {
        if (this.indices[at + i] !== this.indices[at]! + i || Math.abs(this.weights[at + i]! - 1 / count) > 1e-4)
          return 0;
      }
    }
    return count;
  }

  /** Neighbouring taps share samples: each is read once. */
  #add(at: number, u: number, index: number, weight: number): number {
    if (weight < 1e-6) return at;
    if (at > this.first[u]! && this.indices[at - 1] === index) {
      this.weights[at - 1]! += weight;
      return at;
    }
    this.lowest = Math.min(this.lowest, index);
    this.highest = Math.max(this.highest, index);
    this.indices[at] = index;
    this.weights[at] = weight;
    return at + 1;
  }
}

/**
 * Samples one plane into a fixed size: bilinear, edge samples repeated, averaged over a grid of taps when reducing.
 * Windows that are not turned go a row at a time, which is several times faster than point by point.
 */
export class PlaneSampler {
  readonly width: number;
  readonly height: number;
  readonly #columns: AxisTable;
  readonly #rows: AxisTable;
  #row = new Int32Array(0);

  constructor(width: number, height: number) {
    this.width = width;
    this.height = height;
    this.#columns = new AxisTable(width);
    this.#rows = new AxisTable(height);
  }

  /** @param s destination sample → plane sample, sample centres at integers; @param out width·height values 0…255 */
  sample(plane: Uint8Array, planeWidth: number, planeHeight: number, s: Affine, out: Float32Array): void {
    if (s.b === 0 && s.d === 0) this.#resize(plane, planeWidth, planeHeight, s, out, this.#columns, this.#rows, 1);
    else if (s.a === 0 && s.e === 0) {
      // A quarter turn: the plane's rows are the destination's columns.
      const lying = { a: s.b, b: 0, c: s.c, d: 0, e: s.d, f: s.f };
      this.#resize(plane, planeWidth, planeHeight, lying, out, this.#rows, this.#columns, this.width);
    } else this.#warp(plane, planeWidth, planeHeight, s, out);
  }

  /** @param stride distance in `out` between neighbours along the plane's rows: 1, or the width for a quarter turn */
  #resize(
    plane: Uint8Array,
    pw: number,
    ph: number,
    s: Affine,
    out: Float32Array,
    columns: AxisTable,
    rows: AxisTable,
    stride: number,
  ): void {
    columns.prepare(s.a, s.c, pw);
    rows.prepare(s.e, s.f, ph);
    if (this.#row.length < pw) this.#row = new Int32Array(pw);
    const row = this.#row;
    const from = columns.lowest;
    const to = columns.highest + 1;
    const step = stride === 1 ? columns.size : 1;
    let key = -1;
    for (let v = 0; v < rows.size; v++) {
      // A letterbox repeats the picture's edge: the same row again.
      const single = rows.first[v + 1]! === rows.first[v]! + 1 ? rows.indices[rows.first[v]!]! : -1;
      const at = v * step;
      if (single >= 0 && single === key && stride === 1) out.copyWithin(at, at - step, at);
      else if (single >= 0 && columns.uniform === 1) copyRow(plane, single * pw, columns, out, at, stride);
      else {
        if (single < 0 || single !== key) addRows(row, plane, pw, rows, v, from, to);
        addColumns(row, columns, out, at, stride);
      }
      key = single;
    }
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
