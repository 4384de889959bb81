// AssemblyScript: compiled to WebAssembly by `npm run kernels`, with the arithmetic of the comments below to the bit.

/** The weights of one of four pixels, 16 bits each: that of the left texel for its four bytes, then that of the right one. */
// @ts-ignore: decorator
@inline
function first(weights: v128): v128 {
  return v128.shuffle<u8>(weights, weights, 0, 1, 0, 1, 0, 1, 0, 1, 2, 3, 2, 3, 2, 3, 2, 3);
}
// @ts-ignore: decorator
@inline
function second(weights: v128): v128 {
  return v128.shuffle<u8>(weights, weights, 4, 5, 4, 5, 4, 5, 4, 5, 6, 7, 6, 7, 6, 7, 6, 7);
}
// @ts-ignore: decorator
@inline
function third(weights: v128): v128 {
  return v128.shuffle<u8>(weights, weights, 8, 9, 8, 9, 8, 9, 8, 9, 10, 11, 10, 11, 10, 11, 10, 11);
}
// @ts-ignore: decorator
@inline
function fourth(weights: v128): v128 {
  return v128.shuffle<u8>(weights, weights, 12, 13, 12, 13, 12, 13, 12, 13, 14, 15, 14, 15, 14, 15, 14, 15);
}

/** Sums of the left and of the right texels, each times its weight: at most 255 · 256 together, in 16 bits. */
// @ts-ignore: decorator
@inline
function weighed(at: usize, stride: usize, upper: v128, lower: v128): v128 {
  const above = v128.mul<i16>(v128.load8x8_u(at), upper);
  return v128.add<i16>(above, v128.mul<i16>(v128.load8x8_u(at + stride), lower));
}

/** Left and right of two pixels put together, rounded. */
// @ts-ignore: decorator
@inline
function both(one: v128, other: v128): v128 {
  const sum = v128.add<i16>(v128.shuffle<u64>(one, other, 0, 2), v128.shuffle<u64>(one, other, 1, 3));
  return v128.shr<u16>(v128.add<i16>(sum, i16x8.splat(128)), 8);
}

/** Four samples: weights of together 256, `(sum + 128) >> 8`. @param u positions in texels, as `v` with 16 bits behind the point */
// @ts-ignore: decorator
@inline
function four(texels: usize, row: usize, lines: v128, u: v128, v: v128): v128 {
  const byte = i32x4.splat(255);
  const right = v128.and(v128.shr<i32>(u, 8), byte);
  const below = v128.and(v128.shr<i32>(v, 8), byte);
  const w3 = v128.shr<u32>(v128.add<i32>(v128.mul<i32>(right, below), i32x4.splat(128)), 8);
  const w2 = v128.sub<i32>(below, w3);
  const w1 = v128.sub<i32>(right, w3);
  const w0 = v128.sub<i32>(v128.sub<i32>(i32x4.splat(256), right), w2);
  const upper = v128.or(w0, v128.shl<i32>(w1, 16));
  const lower = v128.or(w2, v128.shl<i32>(w3, 16));
  const places = v128.shl<i32>(v128.add<i32>(v128.mul<i32>(v128.shr<i32>(v, 16), lines), v128.shr<i32>(u, 16)), 2);
  const a = weighed(texels + v128.extract_lane<i32>(places, 0), row, first(upper), first(lower));
  const b = weighed(texels + v128.extract_lane<i32>(places, 1), row, second(upper), second(lower));
  const c = weighed(texels + v128.extract_lane<i32>(places, 2), row, third(upper), third(lower));
  const d = weighed(texels + v128.extract_lane<i32>(places, 3), row, fourth(upper), fourth(lower));
  return v128.narrow<u16>(both(a, b), both(c, d));
}

/**
 * A row of bilinear samples of a square of texels of four bytes.
 * @param x position of the first one in texels, as `y` with 16 bits behind the point @param dx step to the next one
 */
export function drawSpan(
  out: usize,
  count: i32,
  texels: usize,
  stride: i32,
  x: i32,
  y: i32,
  dx: i32,
  dy: i32,
): void {
  const row = <usize>stride << 2;
  const lines = i32x4.splat(stride);
  const stepU = i32x4.splat(4 * dx);
  const stepV = i32x4.splat(4 * dy);
  let u = i32x4(x, x + dx, x + 2 * dx, x + 3 * dx);
  let v = i32x4(y, y + dy, y + 2 * dy, y + 3 * dy);
  let left = count;
  for (; left >= 4; left -= 4, out += 16) {
    v128.store(out, four(texels, row, lines, u, v));
    u = v128.add<i32>(u, stepU);
    v = v128.add<i32>(v, stepV);
  }
  // One by one: what lies behind the last one may be no part of the square, nor of the memory.
  for (let u0 = x + (count - left) * dx, v0 = y + (count - left) * dy; left > 0; left--, out += 4, u0 += dx, v0 += dy)
    v128.store32_lane(out, four(texels, row, lines, i32x4.splat(u0), i32x4.splat(v0)), 0);
}

/**
 * Gamma-coded RGB to Y'CbCr, alpha unchanged, into the inside of a square with a border of one.
 * @param side at least 4
 * @param ends room for two numbers a row: first texel with alpha, to four texels, and the one after the last; equal where there is none
 * @param toCb factors of the differences to luma @param offset of luma, one half for rounding included
 */
export function toTexels(
  rgba: usize,
  side: i32,
  out: usize,
  ends: usize,
  kr: f32,
  kg: f32,
  kb: f32,
  toCb: f32,
  toCr: f32,
  scale: f32,
  offset: f32,
): void {
  const byte = i32x4.splat(255);
  for (let y = 0; y < side; y++) {
    const to = out + (((y + 1) * (side + 2) + 1) << 2);
    let from = side;
    let end = side;
    const row = rgba + ((y * side) << 2);
    for (let k = 0; k < side; k += 4) {
      // Where the last ones are fewer, some are made again.
      const x = min(k, side - 4);
      const pixels = v128.load(row + (x << 2));
      const r = v128.convert<i32>(v128.and(pixels, byte));
      const g = v128.convert<i32>(v128.and(v128.shr<u32>(pixels, 8), byte));
      const b = v128.convert<i32>(v128.and(v128.shr<u32>(pixels, 16), byte));
      const weighted = v128.add<f32>(v128.mul<f32>(r, f32x4.splat(kr)), v128.mul<f32>(g, f32x4.splat(kg)));
      const l = v128.add<f32>(weighted, v128.mul<f32>(b, f32x4.splat(kb)));
      const luma = rounded(v128.add<f32>(v128.mul<f32>(l, f32x4.splat(scale)), f32x4.splat(offset)));
      const cb = chromaOf(v128.sub<f32>(b, l), toCb);
      const cr = chromaOf(v128.sub<f32>(r, l), toCr);
      const alpha = v128.and(pixels, i32x4.splat(0xff000000));
      if (v128.any_true(alpha)) {
        from = min(from, x);
        end = x + 4;
      }
      const low = v128.or(luma, v128.shl<i32>(cb, 8));
      v128.store(to + (x << 2), v128.or(v128.or(low, v128.shl<i32>(cr, 16)), alpha));
    }
    store<i32>(ends + (y << 3), from);
    store<i32>(ends + (y << 3), end, 4);
  }
}

// @ts-ignore: decorator
@inline
function chromaOf(difference: v128, factor: f32): v128 {
  return rounded(v128.add<f32>(v128.mul<f32>(difference, f32x4.splat(factor)), f32x4.splat(128.5)));
}

/** Cut off, at most 255. */
// @ts-ignore: decorator
@inline
function rounded(value: v128): v128 {
  return v128.min<i32>(v128.trunc_sat<i32>(value), i32x4.splat(255));
}

/** `(face · alpha + picture · (255 − alpha) + 127) / 255`, rounded down. */
// @ts-ignore: decorator
@inline
function mixed(face: v128, picture: v128, alpha: v128, beside: v128): v128 {
  const low = v128.add<i16>(v128.extmul_low<u8>(face, alpha), v128.extmul_low<u8>(picture, beside));
  const high = v128.add<i16>(v128.extmul_high<u8>(face, alpha), v128.extmul_high<u8>(picture, beside));
  return v128.narrow<u16>(by255(low), by255(high));
}

/** `(n + 127) / 255`, rounded down: exact for what two products of bytes give. */
// @ts-ignore: decorator
@inline
function by255(n: v128): v128 {
  const t = v128.add<i16>(n, i16x8.splat(127));
  return v128.shr<u16>(v128.add<i16>(v128.add<i16>(t, i16x8.splat(1)), v128.shr<u16>(t, 8)), 8);
}

/**
 * Blends the luma of a row of pixels (Y, Cb, Cr, alpha) over one of the picture.
 * @param noise signed bytes, added to the pixels' luma
 */
export function blendLumaRow(pixels: usize, luma: usize, noise: usize, count: i32): void {
  let i = 0;
  for (; i + 16 <= count; i += 16, pixels += 64) {
    const a = v128.load(pixels);
    const b = v128.load(pixels, 16);
    const c = v128.load(pixels, 32);
    const d = v128.load(pixels, 48);
    const ab = v128.shuffle<u8>(a, b, 0, 4, 8, 12, 16, 20, 24, 28, 3, 7, 11, 15, 19, 23, 27, 31);
    const cd = v128.shuffle<u8>(c, d, 0, 4, 8, 12, 16, 20, 24, 28, 3, 7, 11, 15, 19, 23, 27, 31);
    const alpha = v128.shuffle<u64>(ab, cd, 1, 3);
    if (!v128.any_true(alpha)) continue;
    const plain = v128.shuffle<u64>(ab, cd, 0, 2);
    const grain = v128.load(noise + i);
    const low = v128.add<i16>(v128.extend_low<u8>(plain), v128.extend_low<i8>(grain));
    const high = v128.add<i16>(v128.extend_high<u8>(plain), v128.extend_high<i8>(grain));
    const face = v128.narrow<u16>(low, high);
    v128.store(luma + i, mixed(face, v128.load(luma + i), alpha, v128.not(alpha)));
  }
  for (; i < count; i++, pixels += 4) {
    const alpha = <i32>load<u8>(pixels, 3);
    if (alpha === 0) continue;
    const value = min(255, max(0, <i32>load<u8>(pixels) + <i32>load<i8>(noise + i)));
    store<u8>(luma + i, mix(value, load<u8>(luma + i), alpha));
  }
}

// @ts-ignore: decorator
@inline
function mix(face: i32, picture: i32, alpha: i32): i32 {
  return (face * alpha + picture * (255 - alpha) + 127) / 255;
}

/** Cb + Cb and Cr + Cr of four columns of two rows, as 16 bits: Cb in the lower half of each column's 32, Cr in the higher. */
// @ts-ignore: decorator
@inline
function columns(upper: v128, lower: v128): v128 {
  const one = i8x16(1, -1, 2, -1, 5, -1, 6, -1, 9, -1, 10, -1, 13, -1, 14, -1);
  return v128.add<i16>(v128.swizzle(upper, one), v128.swizzle(lower, one));
}

/**
 * Blends the chroma of two rows of pixels over one of the picture's. A chroma sample belongs to four luma samples, and takes the strongest cover of the four.
 * @param below the second row, or the first again where there is no other @param width of the rows; where it is odd the last column stands for two
 */
export function blendChromaRow(above: usize, below: usize, cb: usize, cr: usize, width: i32): void {
  let i = 0;
  for (; i + 8 <= width; i += 8, above += 32, below += 32, cb += 4, cr += 4) {
    const a = v128.load(above);
    const b = v128.load(above, 16);
    const c = v128.load(below);
    const d = v128.load(below, 16);
    const all = v128.and(v128.and(a, b), v128.and(c, d));
    if (v128.all_true<u32>(v128.eq<u32>(v128.shr<u32>(all, 24), i32x4.splat(255)))) {
      const left = columns(a, c);
      const right = columns(b, d);
      const even = v128.shuffle<u32>(left, right, 0, 2, 4, 6);
      const odd = v128.shuffle<u32>(left, right, 1, 3, 5, 7);
      const sum = v128.shr<u16>(v128.add<i16>(v128.add<i16>(even, odd), i16x8.splat(2)), 2);
      const bytes = v128.swizzle(sum, i8x16(0, 4, 8, 12, 2, 6, 10, 14, -1, -1, -1, -1, -1, -1, -1, -1));
      v128.store32_lane(cb, bytes, 0);
      v128.store32_lane(cr, bytes, 1);
      continue;
    }
    const any = v128.or(v128.or(a, b), v128.or(c, d));
    if (!v128.any_true(v128.shr<u32>(any, 24))) continue;
    for (let k: usize = 0; k < 4; k++) chroma(above + 8 * k, below + 8 * k, 4, cb + k, cr + k);
  }
  for (; i < width; i += 2, above += 8, below += 8, cb++, cr++) chroma(above, below, i + 1 < width ? 4 : 0, cb, cr);
}

function chroma(above: usize, below: usize, right: usize, cb: usize, cr: usize): void {
  const a = <i32>load<u8>(above, 3);
  const b = <i32>load<u8>(above + right, 3);
  const c = <i32>load<u8>(below, 3);
  const d = <i32>load<u8>(below + right, 3);
  const weight = a + b + c + d;
  if (weight === 0) return;
  const alpha = max(max(a, b), max(c, d));
  const blue = part(a, above, 1) + part(b, above + right, 1) + part(c, below, 1) + part(d, below + right, 1);
  const red = part(a, above, 2) + part(b, above + right, 2) + part(c, below, 2) + part(d, below + right, 2);
  if (weight === 4 * 255) {
    store<u8>(cb, (blue / 255 + 2) >> 2);
    store<u8>(cr, (red / 255 + 2) >> 2);
    return;
  }
  store<u8>(cb, over(blue, weight, load<u8>(cb), alpha));
  store<u8>(cr, over(red, weight, load<u8>(cr), alpha));
}

// @ts-ignore: decorator
@inline
function part(weight: i32, pixel: usize, byte: usize): i32 {
  return weight * <i32>load<u8>(pixel + byte);
}

// @ts-ignore: decorator
@inline
function over(sum: i32, weight: i32, picture: i32, alpha: i32): i32 {
  return <i32>(((<f64>sum / <f64>weight) * <f64>alpha + <f64>(picture * (255 - alpha)) + 127) / 255);
}
