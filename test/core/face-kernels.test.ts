import { describe, expect, it } from 'vitest';
import { Scratch } from '../../src/core/simd/scratch.ts';

const SIDE = 128;
const random = (n: number) => Math.floor(Math.random() * n);

/** The largest (or smallest) of the 5×5 within these rows, one by one. */
function extreme(from: Uint8Array, first: number, last: number, of: (values: number[]) => number): Uint8Array {
  const out = new Uint8Array(SIDE * SIDE);
  for (let y = first; y <= last; y++)
    for (let x = 0; x < SIDE; x++) {
      const values: number[] = [];
      for (let v = Math.max(first, y - 2); v <= Math.min(last, y + 2); v++)
        for (let u = Math.max(0, x - 2); u <= Math.min(SIDE - 1, x + 2); u++) values.push(from[v * SIDE + u]!);
      out[y * SIDE + x] = of(values);
    }
  return out;
}

describe('the kernels for faces', () => {
  it('find the largest and the smallest of 5×5, and count nothing beyond the rows', () => {
    const scratch = new Scratch();
    scratch.clear();
    const [from, to, line, across] = [SIDE * SIDE, SIDE * SIDE, 2 * SIDE, (SIDE + 4) * SIDE].map((n) =>
      scratch.take(n),
    ) as [number, number, number, number];
    const source = new Uint8Array(scratch.buffer, from, SIDE * SIDE).map(() => random(256));
    new Uint8Array(scratch.buffer, from, SIDE * SIDE).set(source);
    for (const [first, last] of [
      [0, SIDE - 1],
      [40, 93],
    ] as const) {
      for (const invert of [0, 255]) {
        const out = new Uint8Array(scratch.buffer, to, SIDE * SIDE).fill(0);
        scratch.kernels.largest(from, to, first, last, invert, line, across);
        const of = invert ? (v: number[]) => Math.min(...v) : (v: number[]) => Math.max(...v);
        expect(Buffer.compare(out, extreme(source, first, last, of))).toBe(0);
      }
    }
  });

  it('turn a network’s answer into pixels, rounded and clamped, NaN into 0, and measure it', () => {
    const n = 30;
    const values = Float32Array.from({ length: 3 * n }, () => 3 * Math.random() - 1.5);
    const scratch = new Scratch();
    scratch.clear();
    const [at, out, sums] = [scratch.take(12 * n), scratch.take(4 * n), scratch.take(16)];
    new Float32Array(scratch.buffer, at, 3 * n).set(values);
    scratch.kernels.moments(at, 3 * n, sums);
    const [sum, squares] = new Float64Array(scratch.buffer, sums, 2);
    expect(sum).toBeCloseTo(
      values.reduce((total, v) => total + v, 0),
      9,
    );
    expect(squares).toBeCloseTo(
      values.reduce((total, v) => total + v * v, 0),
      9,
    );
    values[7] = Number.NaN;
    new Float32Array(scratch.buffer, at, 3 * n).set(values);
    scratch.kernels.toRgba(at, n, out);
    const wanted = new Uint8ClampedArray(4 * n).fill(255);
    for (let i = 0; i < n; i++)
      for (let c = 0; c < 3; c++) wanted[4 * i + c] = Math.fround(Math.fround(values[c * n + i]! + 1) * 127.5);
    expect([...new Uint8Array(scratch.buffer, out, 4 * n)]).toEqual([...wanted]);
    scratch.kernels.moments(at, 3 * n, sums);
    expect(new Float64Array(scratch.buffer, sums, 1)[0]).toBeNaN();
  });

  it('count tones, and look them up within the table', () => {
    const n = 52;
    const values = Float32Array.from({ length: 3 * n }, () => Math.random() * 3 - 1.5);
    const table = Float32Array.from({ length: 64 }, () => Math.random());
    const scratch = new Scratch();
    scratch.clear();
    const [at, tableAt, counts] = [scratch.take(12 * n), scratch.take(4 * 64), scratch.take(1024)];
    new Float32Array(scratch.buffer, at, 3 * n).set(values);
    new Float32Array(scratch.buffer, tableAt, 64).set(table);
    expect(scratch.kernels.countTones(at, n, 5, 128, 127, counts)).toBe(Math.ceil(n / 5));
    const histogram = new Array<number>(256).fill(0);
    for (let i = 0; i < n; i += 5) {
      const brightest = Math.max(values[i]!, values[n + i]!, values[2 * n + i]!);
      histogram[Math.max(0, Math.min(255, Math.floor(brightest * 128 + 127 + 0.5)))]!++;
    }
    expect([...new Uint32Array(scratch.buffer, counts, 256)]).toEqual(histogram);
    scratch.kernels.lookUp(at, 3 * n, 32, 31, tableAt, 64);
    const wanted = values.map((v) => table[Math.max(0, Math.min(63, Math.trunc(v * 32 + 31.5)))]!);
    expect([...new Float32Array(scratch.buffer, at, 3 * n)]).toEqual([...wanted]);
  });

  it('stop where an address leads out of their memory', () => {
    const scratch = new Scratch();
    expect(() => scratch.kernels.blendLumaRow(scratch.buffer.byteLength - 8, 0, 0, 640)).toThrow(/out of bounds/);
  });
});
