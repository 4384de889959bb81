/** Taps each way that keep a reduction from aliasing; four are enough for a film of 4K. */
export function tapsFor(step: number): number {
  return Math.max(1, Math.min(4, Math.round(step)));
}

/**
 * Weights are whole numbers, which is twice as fast as floats. 255 times both units is just below 2^31: a sum of samples cannot overflow,
 * because the weights of one are never more than the unit.
 */
export const ROW_UNIT = 4096;
export const COLUMN_UNIT = 2048;

/** Where a position beyond the ends of a plane lies when it is reflected at them; sample centres at integers. */
export function mirroredAt(x: number, length: number): number {
  const at = (((x + 0.5) % (2 * length)) + 2 * length) % (2 * length);
  return (at < length ? at : 2 * length - at) - 0.5;
}

/** One axis of a resize: neighbouring source samples with weights per destination sample, edge samples repeated or the plane mirrored. */
export class AxisTable {
  readonly size: number;
  readonly start: Int32Array;
  readonly #unit: number;
  #sums = new Float64Array();
  /** What it was last prepared for. */
  #step = Number.NaN;
  #from = Number.NaN;
  #length = Number.NaN;
  #mirrored = false;
  /** `taps` for each destination sample; together they are the unit. */
  weights = new Int32Array();
  taps = 1;
  /** `taps` when all weights are equal (a whole-numbered step), else 0. */
  uniform = 0;
  /** Range of the source samples in use. */
  lowest = 0;
  highest = 0;

  constructor(size: number, unit: number) {
    this.size = size;
    this.start = new Int32Array(size);
    this.#unit = unit;
  }

  prepare(step: number, start: number, length: number, mirrored = false): void {
    // Often asked for what it is already: Cr after Cb, and the whole picture on every frame.
    if (this.#step === step && this.#from === start && this.#length === length && this.#mirrored === mirrored) return;
    this.#step = step;
    this.#from = start;
    this.#length = length;
    this.#mirrored = mirrored;
    const count = tapsFor(Math.abs(step));
    const position = (u: number, i: number) => {
      const x = step * (u + (i + 0.5) / count - 0.5) + start;
      return Math.max(0, Math.min(length - 1, mirrored ? mirroredAt(x, length) : x));
    };
    // The taps of one sample span as much everywhere, but for the part of a sample that they begin at, and two more at the edge.
    const span = Math.abs(step) * (1 - 1 / count);
    const most = Math.floor(span + 1) + 2;
    if (this.#sums.length < this.size * most) this.#sums = new Float64Array(this.size * most);
    const sums = this.#sums;
    sums.fill(0, 0, this.size * most);
    let needed = 1;
    this.lowest = length;
    this.highest = 0;
    for (let u = 0; u < this.size; u++) {
      let lowest = Math.min(position(u, 0), position(u, count - 1));
      // Where the plane is folded the outer taps are not the outermost.
      if (mirrored) for (let i = 1; i < count - 1; i++) lowest = Math.min(lowest, position(u, i));
      const first = Math.floor(lowest + 1e-6);
      this.start[u] = first;
      for (let i = 0; i < count; i++) {
        const x = position(u, i);
        const low = Math.floor(x);
        const part = x - low;
        if (part < 1 - 1e-6) sums[u * most + low - first]! += (1 - part) / count;
        if (part > 1e-6) sums[u * most + low + 1 - first]! += part / count;
      }
      let last = most - 1;
      while (last > 0 && sums[u * most + last] === 0) last--;
      needed = Math.max(needed, last + 1);
    }
    this.#quantise(most, needed, length);
  }

  /** Whole-numbered weights, `needed` of the `most` of each sample; what rounding loses goes to the greatest. */
  #quantise(most: number, needed: number, length: number): void {
    const unit = this.#unit;
    if (this.weights.length < this.size * needed) this.weights = new Int32Array(this.size * needed);
    this.taps = needed;
    const equal = 1 / needed;
    let uniform = needed === 1 || needed === 2 || needed === 4;
    for (let u = 0; u < this.size; u++) {
      let left = unit;
      let greatest = u * needed;
      // At the end of the plane the list begins earlier, with weights of nothing.
      const shift = Math.max(0, this.start[u]! + needed - length);
      this.start[u]! -= shift;
      this.lowest = Math.min(this.lowest, this.start[u]!);
      this.highest = Math.max(this.highest, this.start[u]! + needed - 1);
      for (let k = 0; k < needed; k++) {
        const exact = k < shift ? 0 : this.#sums[u * most + k - shift]!;
        const weight = Math.round(exact * unit);
        if (Math.abs(exact - equal) > 1e-4) uniform = false;
        this.weights[u * needed + k] = weight;
        left -= weight;
        if (weight > this.weights[greatest]!) greatest = u * needed + k;
      }
      this.weights[greatest]! += left;
    }
    this.uniform = uniform ? needed : 0;
  }

  /** The one source sample of a destination sample, −1 when there are more. */
  single(v: number): number {
    for (let k = 0; k < this.taps; k++) if (this.weights[v * this.taps + k] === this.#unit) return this.start[v]! + k;
    return -1;
  }
}
