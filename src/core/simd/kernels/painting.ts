// AssemblyScript: compiled to WebAssembly by scripts/build-kernels.mjs, with the arithmetic of the comments below to the bit.

/** Two texels side by side, byte by byte in pairs of 16 bits: what `dot` weighs against each other. */
// @ts-ignore: decorator
@inline
function pairs(at: usize): v128 {
  return v128.swizzle(
    v128.load64_zero(at),
    i8x16(0, -1, 4, -1, 1, -1, 5, -1, 2, -1, 6, -1, 3, -1, 7, -1),
  );
}

/** Bilinear sample of four bytes: weights of together 256, `(sum + 128) >> 8`. */
// @ts-ignore: decorator
@inline
function texel(texels: usize, stride: i32, x: i32, y: i32): v128 {
  const right = (x >> 8) & 255;
  const below = (y >> 8) & 255;
  const w3 = (right * below + 128) >> 8;
  const w2 = below - w3;
  const w1 = right - w3;
  const w0 = 256 - right - w2;
  const at = texels + (((y >> 16) * stride + (x >> 16)) << 2);
  const upper = v128.dot<i16>(pairs(at), i32x4.splat(w0 | (w1 << 16)));
  const lower = v128.dot<i16>(pairs(at + (stride << 2)), i32x4.splat(w2 | (w3 << 16)));
  return v128.shr<u32>(v128.add<i32>(v128.add<i32>(upper, lower), i32x4.splat(128)), 8);
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
  const end = out + (count << 2);
  for (; out + 16 <= end; out += 16) {
    const a = texel(texels, stride, x, y);
    const b = texel(texels, stride, x + dx, y + dy);
    const c = texel(texels, stride, x + 2 * dx, y + 2 * dy);
    const d = texel(texels, stride, x + 3 * dx, y + 3 * dy);
    x += 4 * dx;
    y += 4 * dy;
    v128.store(out, v128.narrow<u16>(v128.narrow<i32>(a, b), v128.narrow<i32>(c, d)));
  }
  for (; out < end; out += 4, x += dx, y += dy) {
    const a = v128.narrow<i32>(texel(texels, stride, x, y), i32x4.splat(0));
    v128.store32_lane(out, v128.narrow<u16>(a, a), 0);
  }
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
