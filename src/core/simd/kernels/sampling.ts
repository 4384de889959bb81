/** Means of 2×2 samples, rounded; an odd edge is repeated. */
export function halve(from: usize, width: i32, height: i32, to: usize): void {
  const count = (width + 1) >> 1;
  const rows = (height + 1) >> 1;
  for (let y = 0; y < rows; y++) {
    const above = from + 2 * y * width;
    const below = 2 * y + 1 < height ? above + width : above;
    const out = to + y * count;
    let x = 0;
    for (; 2 * x + 32 <= width; x += 16) {
      const low = means(v128.load(above + 2 * x), v128.load(below + 2 * x));
      const high = means(v128.load(above + 2 * x, 16), v128.load(below + 2 * x, 16));
      v128.store(out + x, v128.narrow<u16>(low, high));
    }
    for (; x < count; x++) {
      const left = 2 * x;
      const right = min(left + 1, width - 1);
      const upper = <i32>load<u8>(above + left) + <i32>load<u8>(above + right);
      const lower = <i32>load<u8>(below + left) + <i32>load<u8>(below + right);
      store<u8>(out + x, (upper + lower + 2) >> 2);
    }
  }
}

// @ts-ignore: decorator
@inline
function means(upper: v128, lower: v128): v128 {
  const sum = v128.add<i16>(v128.extadd_pairwise<u8>(upper), v128.extadd_pairwise<u8>(lower));
  return v128.shr<u16>(v128.add<i16>(sum, i16x8.splat(2)), 2);
}

/** The four rows of a 4×4 matrix of 32 bits become its columns, in a place of 64 bytes. */
// @ts-ignore: decorator
@inline
function storeTurned(to: usize, step: usize, a: v128, b: v128, c: v128, d: v128): void {
  const ab = v128.shuffle<u32>(a, b, 0, 4, 1, 5);
  const ab2 = v128.shuffle<u32>(a, b, 2, 6, 3, 7);
  const cd = v128.shuffle<u32>(c, d, 0, 4, 1, 5);
  const cd2 = v128.shuffle<u32>(c, d, 2, 6, 3, 7);
  v128.store(to, v128.shuffle<u64>(ab, cd, 0, 2));
  v128.store(to + step, v128.shuffle<u64>(ab, cd, 1, 3));
  v128.store(to + 2 * step, v128.shuffle<u64>(ab2, cd2, 0, 2));
  v128.store(to + 3 * step, v128.shuffle<u64>(ab2, cd2, 1, 3));
}

/** Sums of eight columns of samples for one destination row, weights below 2^15. */
let lowSums: v128 = i32x4.splat(0);
let highSums: v128 = i32x4.splat(0);

// @ts-ignore: decorator
@inline
function sumColumns(at: usize, stride: usize, weights: usize, taps: i32): void {
  let low = i32x4.splat(0);
  let high = i32x4.splat(0);
  for (let k = 0; k < taps; k++, at += stride) {
    const weight = load<i32>(weights + (k << 2));
    if (weight === 0) continue;
    const samples = v128.load8x8_u(at);
    const by = i16x8.splat(<i16>weight);
    low = v128.add<i32>(low, v128.extmul_low<i16>(samples, by));
    high = v128.add<i32>(high, v128.extmul_high<i16>(samples, by));
  }
  lowSums = low;
  highSums = high;
}

/**
 * A plane resized with tables of weights, four destination rows at a time.
 * @param columns addresses of first samples, and of `columnTaps` weights each @param lowest first sample in use, and `highest` the last
 * @param sums room for four numbers per sample and eight samples more
 * @param across bytes from one number to the next of what columns run along, as `down` of rows @param scale of a weighted sum
 */
export function resize(
  plane: usize,
  stride: i32,
  columns: usize,
  columnWeights: usize,
  columnTaps: i32,
  columnCount: i32,
  lowest: i32,
  highest: i32,
  rows: usize,
  rowWeights: usize,
  rowTaps: i32,
  rowCount: i32,
  sums: usize,
  out: usize,
  across: i32,
  down: i32,
  scale: f32,
): void {
  const factor = f32x4.splat(scale);
  for (let v = 0; v < rowCount; v += 4) {
    // Where the last ones are fewer, some are made again.
    const row = min(v, rowCount - 4);
    for (let x = lowest; x <= highest; x += 8) {
      const to = sums + (x << 4);
      let at = plane + load<i32>(rows + (row << 2)) * stride + x;
      sumColumns(at, stride, rowWeights + ((row * rowTaps) << 2), rowTaps);
      const a = lowSums;
      const a2 = highSums;
      at = plane + load<i32>(rows + ((row + 1) << 2)) * stride + x;
      sumColumns(at, stride, rowWeights + (((row + 1) * rowTaps) << 2), rowTaps);
      const b = lowSums;
      const b2 = highSums;
      at = plane + load<i32>(rows + ((row + 2) << 2)) * stride + x;
      sumColumns(at, stride, rowWeights + (((row + 2) * rowTaps) << 2), rowTaps);
      const c = lowSums;
      const c2 = highSums;
      at = plane + load<i32>(rows + ((row + 3) << 2)) * stride + x;
      sumColumns(at, stride, rowWeights + (((row + 3) * rowTaps) << 2), rowTaps);
      storeTurned(to, 16, a, b, c, lowSums);
      storeTurned(to + 64, 16, a2, b2, c2, highSums);
    }
    for (let u = 0; u < columnCount; u += 4) {
      const column = min(u, columnCount - 4);
      const a = v128.mul<f32>(sumRow(sums, columns, columnWeights, columnTaps, column), factor);
      const b = v128.mul<f32>(sumRow(sums, columns, columnWeights, columnTaps, column + 1), factor);
      const c = v128.mul<f32>(sumRow(sums, columns, columnWeights, columnTaps, column + 2), factor);
      const d = v128.mul<f32>(sumRow(sums, columns, columnWeights, columnTaps, column + 3), factor);
      const to = out + row * down + column * across;
      if (across === 4) storeTurned(to, down, a, b, c, d);
      else {
        v128.store(to, a);
        v128.store(to + across, b);
        v128.store(to + 2 * across, c);
        v128.store(to + 3 * across, d);
      }
    }
  }
}

/** One destination sample in each of four rows. */
// @ts-ignore: decorator
@inline
function sumRow(sums: usize, columns: usize, weights: usize, taps: i32, column: i32): v128 {
  let at = sums + (load<i32>(columns + (column << 2)) << 4);
  let weight = weights + ((column * taps) << 2);
  let sum = i32x4.splat(0);
  for (let k = 0; k < taps; k++, at += 16, weight += 4)
    sum = v128.add<i32>(sum, v128.mul<i32>(v128.load(at), v128.load32_splat(weight)));
  return v128.convert<i32>(sum);
}

const ONE: f64 = 65_536;

/**
 * Bilinear samples along slanting lines, `taps`² averaged for each destination sample; edge samples are repeated.
 * `x = a·u + b·v + c`, `y = d·u + e·v + f` of the plane.
 */
export function warp(
  plane: usize,
  width: i32,
  height: i32,
  a: f64,
  b: f64,
  c: f64,
  d: f64,
  e: f64,
  f: f64,
  taps: i32,
  out: usize,
  columns: i32,
  rows: i32,
): void {
  const weight: f32 = 1 / <f32>(taps * taps);
  memory.fill(out, 0, (columns * rows) << 2);
  for (let v = 0; v < rows; v++) {
    const to = out + ((v * columns) << 2);
    for (let j = 0; j < taps; j++) {
      const dv = (<f64>j + 0.5) / <f64>taps - 0.5 + <f64>v;
      for (let i = 0; i < taps; i++) {
        const du = (<f64>i + 0.5) / <f64>taps - 0.5;
        const x = a * du + b * dv + c;
        const y = d * du + e * dv + f;
        const endX = x + a * <f64>(columns - 1);
        const endY = y + d * <f64>(columns - 1);
        const inside =
          min(x, endX) >= 0.001 &&
          max(x, endX) < <f64>width - 1.001 &&
          min(y, endY) >= 0.001 &&
          max(y, endY) < <f64>height - 1.001 &&
          width <= 32_767 && height <= 32_767;
        if (inside) addInside(plane, width, x, y, a, d, weight, to, columns);
        else addClamped(plane, width, height, x, y, a, d, weight, to, columns);
      }
    }
  }
}

/** Four at a time; a destination row that does not divide by four ends one by one. */
function addInside(
  plane: usize,
  stride: i32,
  x: f64,
  y: f64,
  dx: f64,
  dy: f64,
  weight: f32,
  out: usize,
  count: i32,
): void {
  const by = f32x4.splat(weight);
  const small = f32x4.splat(1 / 65_536);
  const stepX = i32x4(0, <i32>(dx * ONE), <i32>(2 * dx * ONE), <i32>(3 * dx * ONE));
  const stepY = i32x4(0, <i32>(dy * ONE), <i32>(2 * dy * ONE), <i32>(3 * dy * ONE));
  let i = 0;
  for (; i + 4 <= count; i += 4, out += 16) {
    const u = v128.add<i32>(i32x4.splat(<i32>((x + <f64>i * dx) * ONE)), stepX);
    const v = v128.add<i32>(i32x4.splat(<i32>((y + <f64>i * dy) * ONE)), stepY);
    const offsets = v128.add<i32>(v128.mul<i32>(v128.shr<i32>(v, 16), i32x4.splat(stride)), v128.shr<i32>(u, 16));
    const p0 = plane + v128.extract_lane<i32>(offsets, 0);
    const p1 = plane + v128.extract_lane<i32>(offsets, 1);
    const p2 = plane + v128.extract_lane<i32>(offsets, 2);
    const p3 = plane + v128.extract_lane<i32>(offsets, 3);
    // Of each sample the two that lie beside each other, in the lowest 16 bits.
    let upper = v128.load32_zero(p0);
    upper = v128.load16_lane(p1, upper, 2);
    upper = v128.load16_lane(p2, upper, 4);
    upper = v128.load16_lane(p3, upper, 6);
    let lower = v128.load32_zero(p0 + stride);
    lower = v128.load16_lane(p1 + stride, lower, 2);
    lower = v128.load16_lane(p2 + stride, lower, 4);
    lower = v128.load16_lane(p3 + stride, lower, 6);
    const right = v128.mul<f32>(v128.convert<i32>(v128.and(u, i32x4.splat(0xffff))), small);
    const below = v128.mul<f32>(v128.convert<i32>(v128.and(v, i32x4.splat(0xffff))), small);
    const top = between(upper, right);
    const value = v128.add<f32>(top, v128.mul<f32>(v128.sub<f32>(between(lower, right), top), below));
    v128.store(out, v128.add<f32>(v128.load(out), v128.mul<f32>(value, by)));
  }
  for (; i < count; i++, out += 4) {
    const u = x + <f64>i * dx;
    const v = y + <f64>i * dy;
    const x0 = <i32>u;
    const y0 = <i32>v;
    const at = plane + y0 * stride + x0;
    const value = mean(load<u8>(at), load<u8>(at + 1), load<u8>(at + stride), load<u8>(at + stride + 1), u - <f64>x0, v - <f64>y0);
    store<f32>(out, load<f32>(out) + weight * value);
  }
}

/** Between the lowest and the next byte of each number. */
// @ts-ignore: decorator
@inline
function between(pair: v128, part: v128): v128 {
  const byte = i32x4.splat(255);
  const left = v128.convert<i32>(v128.and(pair, byte));
  const right = v128.convert<i32>(v128.and(v128.shr<u32>(pair, 8), byte));
  return v128.add<f32>(left, v128.mul<f32>(v128.sub<f32>(right, left), part));
}

// @ts-ignore: decorator
@inline
function mean(a: i32, b: i32, c: i32, d: i32, right: f64, below: f64): f32 {
  const top = <f64>a + <f64>(b - a) * right;
  const bottom = <f64>c + <f64>(d - c) * right;
  return <f32>(top + (bottom - top) * below);
}

/** One that leaves the plane. */
function addClamped(
  plane: usize,
  width: i32,
  height: i32,
  x: f64,
  y: f64,
  dx: f64,
  dy: f64,
  weight: f32,
  out: usize,
  count: i32,
): void {
  const maxX = width - 1;
  const maxY = height - 1;
  for (let i = 0; i < count; i++, out += 4) {
    const u = max<f64>(0, min<f64>(x + <f64>i * dx, <f64>maxX));
    const v = max<f64>(0, min<f64>(y + <f64>i * dy, <f64>maxY));
    const x0 = <i32>u;
    const y0 = <i32>v;
    const at = plane + y0 * width + x0;
    const right = x0 < maxX ? 1 : 0;
    const below = y0 < maxY ? width : 0;
    const value = mean(
      load<u8>(at),
      load<u8>(at + right),
      load<u8>(at + below),
      load<u8>(at + below + right),
      u - <f64>x0,
      v - <f64>y0,
    );
    store<f32>(out, load<f32>(out) + weight * value);
  }
}
