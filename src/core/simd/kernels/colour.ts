/** Planar RGB out of Y, Cb and Cr, unclipped: `y1·Y + r1·Cr + r0`, `y1·Y + g1·Cb + g2·Cr + g0`, `y1·Y + b1·Cb + b0`. @param n numbers of a plane */
export function toRgb(
  luma: usize,
  blue: usize,
  red: usize,
  out: usize,
  n: i32,
  y1: f32,
  r1: f32,
  g1: f32,
  g2: f32,
  b1: f32,
  r0: f32,
  g0: f32,
  b0: f32,
): void {
  const plane = <usize>n << 2;
  for (let k: usize = 0; k < plane; k += 16) {
    // Where the last ones are fewer, some are made again: the next plane begins behind them.
    const i = min(k, plane - 16);
    storeRgb(v128.load(luma + i), v128.load(blue + i), v128.load(red + i), out + i, plane, y1, r1, g1, g2, b1, r0, g0, b0);
  }
}

/** The same for `count` bytes of a row. */
export function bytesToRgb(
  luma: usize,
  blue: usize,
  red: usize,
  out: usize,
  n: i32,
  count: i32,
  y1: f32,
  r1: f32,
  g1: f32,
  g2: f32,
  b1: f32,
  r0: f32,
  g0: f32,
  b0: f32,
): void {
  const plane = <usize>n << 2;
  let i: usize = 0;
  for (; i + 4 <= <usize>count; i += 4)
    storeRgb(four(luma + i), four(blue + i), four(red + i), out + (i << 2), plane, y1, r1, g1, g2, b1, r0, g0, b0);
  for (; i < <usize>count; i++) {
    const y = <f32>load<u8>(luma + i) * y1;
    const cb = <f32>load<u8>(blue + i);
    const cr = <f32>load<u8>(red + i);
    const to = out + (i << 2);
    store<f32>(to, y + r1 * cr + r0);
    store<f32>(to + plane, y + g1 * cb + g2 * cr + g0);
    store<f32>(to + 2 * plane, y + b1 * cb + b0);
  }
}

// @ts-ignore: decorator
@inline
function four(at: usize): v128 {
  return v128.convert<i32>(v128.extend_low<u16>(v128.extend_low<u8>(v128.load32_zero(at))));
}

// @ts-ignore: decorator
@inline
function storeRgb(
  luma: v128,
  blue: v128,
  red: v128,
  out: usize,
  plane: usize,
  y1: f32,
  r1: f32,
  g1: f32,
  g2: f32,
  b1: f32,
  r0: f32,
  g0: f32,
  b0: f32,
): void {
  const y = v128.mul<f32>(luma, f32x4.splat(y1));
  v128.store(out, sum(y, v128.mul<f32>(red, f32x4.splat(r1)), f32x4.splat(r0)));
  const green = v128.add<f32>(v128.mul<f32>(blue, f32x4.splat(g1)), v128.mul<f32>(red, f32x4.splat(g2)));
  v128.store(out + plane, sum(y, green, f32x4.splat(g0)));
  v128.store(out + 2 * plane, sum(y, v128.mul<f32>(blue, f32x4.splat(b1)), f32x4.splat(b0)));
}

// @ts-ignore: decorator
@inline
function sum(a: v128, b: v128, c: v128): v128 {
  return v128.add<f32>(v128.add<f32>(a, b), c);
}

/** 0…255 of full range out of the coded luma, in place; what lies behind the last number is written, too. */
export function toGray(luma: usize, n: i32, scale: f32, offset: f32): void {
  for (let i: usize = 0; i < <usize>n << 2; i += 16) {
    const value = v128.mul<f32>(v128.sub<f32>(v128.load(luma + i), f32x4.splat(offset)), f32x4.splat(scale));
    v128.store(luma + i, clipped(value));
  }
}

// @ts-ignore: decorator
@inline
function clipped(value: v128): v128 {
  return v128.max<f32>(v128.min<f32>(value, f32x4.splat(255)), f32x4.splat(0));
}

/** Planar RGB, clipped to 0…255, then `value · scale + shift`. */
export function toRgbClipped(
  luma: usize,
  blue: usize,
  red: usize,
  out: usize,
  n: i32,
  lumaScale: f32,
  lumaOffset: f32,
  rCr: f32,
  gCb: f32,
  gCr: f32,
  bCb: f32,
  scale: f32,
  shift: f32,
): void {
  const plane = <usize>n << 2;
  const middle = f32x4.splat(128);
  const by = f32x4.splat(scale);
  const add = f32x4.splat(shift);
  for (let k: usize = 0; k < plane; k += 16) {
    const i = min(k, plane - 16);
    const y = v128.mul<f32>(v128.sub<f32>(v128.load(luma + i), f32x4.splat(lumaOffset)), f32x4.splat(lumaScale));
    const cb = v128.sub<f32>(v128.load(blue + i), middle);
    const cr = v128.sub<f32>(v128.load(red + i), middle);
    const r = v128.add<f32>(y, v128.mul<f32>(cr, f32x4.splat(rCr)));
    const g = v128.add<f32>(y, v128.add<f32>(v128.mul<f32>(cb, f32x4.splat(gCb)), v128.mul<f32>(cr, f32x4.splat(gCr))));
    const b = v128.add<f32>(y, v128.mul<f32>(cb, f32x4.splat(bCb)));
    v128.store(out + i, v128.add<f32>(v128.mul<f32>(clipped(r), by), add));
    v128.store(out + plane + i, v128.add<f32>(v128.mul<f32>(clipped(g), by), add));
    v128.store(out + 2 * plane + i, v128.add<f32>(v128.mul<f32>(clipped(b), by), add));
  }
}

/**
 * Histogram of every `stride`-th pixel's brightest channel, 0…255 after `value · scale + offset`.
 * @param histogram 256 numbers of 32 bits, overwritten @returns how many pixels are in it
 */
export function countTones(rgb: usize, n: i32, stride: i32, scale: f32, offset: f32, histogram: usize): i32 {
  memory.fill(histogram, 0, 1024);
  let count = 0;
  const plane = <usize>n << 2;
  for (let i = 0; i < n; i += stride, count++) {
    const at = rgb + (<usize>i << 2);
    const brightest = max(max(load<f32>(at), load<f32>(at + plane)), load<f32>(at + 2 * plane));
    const value = min(255, max(0, <i32>(brightest * scale + offset + 0.5)));
    const to = histogram + (<usize>value << 2);
    store<u32>(to, load<u32>(to) + 1);
  }
  return count;
}

/** Every number by a table: `table[round(value · scale + offset)]`, the place kept within its `length`; what lies behind the last number is written, too. */
export function lookUp(values: usize, n: i32, scale: f32, offset: f32, table: usize, length: i32): void {
  const factor = f32x4.splat(scale);
  const add = f32x4.splat(offset + 0.5);
  const last = i32x4.splat(length - 1);
  for (let i: usize = 0; i < <usize>n << 2; i += 16) {
    const place = v128.trunc_sat<i32>(v128.add<f32>(v128.mul<f32>(v128.load(values + i), factor), add));
    const at = v128.shl<i32>(v128.max<i32>(v128.min<i32>(place, last), i32x4.splat(0)), 2);
    let out = v128.load32_zero(table + v128.extract_lane<i32>(at, 0));
    out = v128.load32_lane(table + v128.extract_lane<i32>(at, 1), out, 1);
    out = v128.load32_lane(table + v128.extract_lane<i32>(at, 2), out, 2);
    out = v128.load32_lane(table + v128.extract_lane<i32>(at, 3), out, 3);
    v128.store(values + i, out);
  }
}

/** Planar RGB of [−1, 1] → RGBA, rounded, alpha 255; NaN becomes 0. @param n pixels, at least 4 */
export function toRgba(planes: usize, n: i32, out: usize): void {
  const plane = <usize>n << 2;
  for (let k: usize = 0; k < plane; k += 16) {
    const at = planes + min(k, plane - 16);
    const red = byteOf(v128.load(at));
    const green = byteOf(v128.load(at + plane));
    const blue = byteOf(v128.load(at + 2 * plane));
    const low = v128.or(red, v128.shl<i32>(green, 8));
    v128.store(out + min(k, plane - 16), v128.or(v128.or(low, v128.shl<i32>(blue, 16)), i32x4.splat(0xff000000)));
  }
}

// @ts-ignore: decorator
@inline
function byteOf(value: v128): v128 {
  const scaled = v128.mul<f32>(v128.add<f32>(value, f32x4.splat(1)), f32x4.splat(127.5));
  const rounded = v128.trunc_sat<i32>(v128.nearest<f32>(scaled));
  return v128.max<i32>(v128.min<i32>(rounded, i32x4.splat(255)), i32x4.splat(0));
}

/** Sums of `n` numbers and of their squares, as two 64-bit floats. */
export function moments(values: usize, n: i32, sums: usize): void {
  let sum = f64x2.splat(0);
  let squares = f64x2.splat(0);
  let i: usize = 0;
  for (; i + 16 <= <usize>n << 2; i += 16) {
    const four = v128.load(values + i);
    const low = v128.promote_low<f32>(four);
    const high = v128.promote_low<f32>(v128.shuffle<u64>(four, four, 1, 1));
    sum = v128.add<f64>(sum, v128.add<f64>(low, high));
    squares = v128.add<f64>(squares, v128.add<f64>(v128.mul<f64>(low, low), v128.mul<f64>(high, high)));
  }
  let rest: f64 = 0;
  let restSquares: f64 = 0;
  for (; i < <usize>n << 2; i += 4) {
    const value = <f64>load<f32>(values + i);
    rest += value;
    restSquares += value * value;
  }
  store<f64>(sums, v128.extract_lane<f64>(sum, 0) + v128.extract_lane<f64>(sum, 1) + rest);
  store<f64>(sums, v128.extract_lane<f64>(squares, 0) + v128.extract_lane<f64>(squares, 1) + restSquares, 8);
}
