const SIDE: i32 = 128;
/** Half the side of the squares. */
const RADIUS: i32 = 2;
/** Zeros before and after a row. */
const BEYOND: i32 = 16;

/**
 * Largest of the 5×5 around each sample of these rows of a square of 128²; what lies beyond them, or the square's edge, does not count.
 * @param invert 255: the smallest @param line room for 160 bytes, zeros at both ends @param across for 132 rows
 */
export function largest(
  from: usize,
  to: usize,
  first: i32,
  last: i32,
  invert: i32,
  line: usize,
  across: usize,
): void {
  const turned = i8x16.splat(<i8>invert);
  const middle = line + BEYOND;
  for (let y = first; y <= last; y++) {
    const row = from + y * SIDE;
    for (let x = 0; x < SIDE; x += 16) v128.store(middle + x, v128.xor(v128.load(row + x), turned));
    const out = across + (y + RADIUS) * SIDE;
    for (let x = 0; x < SIDE; x += 16) {
      const at = middle + x;
      const beside = v128.max<u8>(v128.load(at - 1), v128.load(at + 1));
      const further = v128.max<u8>(v128.load(at - 2), v128.load(at + 2));
      v128.store(out + x, v128.max<u8>(v128.load(at), v128.max<u8>(beside, further)));
    }
  }
  memory.fill(across + first * SIDE, 0, RADIUS * SIDE);
  memory.fill(across + (last + RADIUS + 1) * SIDE, 0, RADIUS * SIDE);
  for (let y = first; y <= last; y++) {
    for (let x = 0; x < SIDE; x += 16) {
      const at = across + y * SIDE + x;
      const upper = v128.max<u8>(v128.load(at), v128.load(at + SIDE));
      const lower = v128.max<u8>(v128.load(at + 3 * SIDE), v128.load(at + 4 * SIDE));
      const most = v128.max<u8>(v128.load(at + 2 * SIDE), v128.max<u8>(upper, lower));
      v128.store(to + y * SIDE + x, v128.xor(most, turned));
    }
  }
}

/** Mean luma of step × step pixels (RGBA) for each sample of these rows of 128². */
export function meanLuma(face: usize, size: i32, luma: usize, first: i32, last: i32): void {
  const step = size / SIDE;
  const whole = 256 * step * step;
  const share: f32 = 1 / <f32>whole;
  for (let y = first; y <= last; y++) {
    for (let x = 0; x < SIDE; x++) {
      let sum = 0;
      for (let j = 0; j < step; j++) {
        let at = face + (((y * step + j) * size + x * step) << 2);
        for (let i = 0; i < step; i++, at += 4) sum += lumaOf(at);
      }
      store<u8>(luma + y * SIDE + x, <i32>(share * <f32>sum + 0.5));
    }
  }
}

/** Of a pixel, times 256. */
// @ts-ignore: decorator
@inline
function lumaOf(at: usize): i32 {
  return 77 * <i32>load<u8>(at) + 150 * <i32>load<u8>(at, 1) + 29 * <i32>load<u8>(at, 2);
}

/**
 * Where the band (128²) is not 0 luma becomes that of `clean` (128²), interpolated, in that share.
 * @param face RGBA, size² @param share of 1
 */
export function blendLuma(
  face: usize,
  size: i32,
  band: usize,
  clean: usize,
  first: i32,
  last: i32,
  share: f32,
): void {
  const step = size / SIDE;
  // Between the middles of four canonical pixels lie step × step of the face's.
  const begin = step / 2;
  const finer: f32 = 1 / <f32>step;
  for (let y = max(0, first - 1); y < min(SIDE - 1, last + 1); y++) {
    for (let x = 0; x < SIDE - 1; x++) {
      const near = band + y * SIDE + x;
      if ((load<u16>(near) | load<u16>(near + SIDE)) === 0) continue;
      const wanted = clean + y * SIDE + x;
      for (let j = y * step + begin; j < (y + 1) * step + begin; j++) {
        const lower: f32 = (<f32>j + 0.5) * finer - 0.5 - <f32>y;
        for (let i = x * step + begin; i < (x + 1) * step + begin; i++) {
          const right: f32 = (<f32>i + 0.5) * finer - 0.5 - <f32>x;
          const at = face + ((j * size + i) << 2);
          const more = (share / 255) * between(near, right, lower) * (between(wanted, right, lower) - <f32>lumaOf(at) / 256);
          for (let k: usize = 0; k < 3; k++)
            store<u8>(at + k, <i32>max<f32>(0, min<f32>(255, <f32>load<u8>(at + k) + more + 0.5)));
        }
      }
    }
  }
}

// @ts-ignore: decorator
@inline
function between(at: usize, right: f32, lower: f32): f32 {
  const left: f32 = 1 - right;
  const upper = left * <f32>load<u8>(at) + right * <f32>load<u8>(at + 1);
  const below = left * <f32>load<u8>(at + SIDE) + right * <f32>load<u8>(at + SIDE + 1);
  return (1 - lower) * upper + lower * below;
}
