const SIDE: i32 = 128;
const RADIUS: i32 = 2;
/** Samples before and after a row. */
const BEYOND: i32 = 16;

/**
 * Of the 5×5 around each sample of a mask of 128² how many are set, by a table of 26 bytes; the mask's edge repeats.
 * @param mask bytes, set from 128 on @param table of 32 bytes @param line room for 160 bytes @param across for 128²
 */
export function softened(mask: usize, out: usize, table: usize, line: usize, across: usize): void {
  const one = i8x16.splat(1);
  const middle = line + BEYOND;
  for (let y = 0; y < SIDE; y++) {
    const row = mask + y * SIDE;
    for (let x = 0; x < SIDE; x += 16) v128.store(middle + x, v128.and(v128.shr<u8>(v128.load(row + x), 7), one));
    for (let k = 1; k <= RADIUS; k++) {
      store<u8>(middle - k, load<u8>(middle));
      store<u8>(middle + SIDE - 1 + k, load<u8>(middle + SIDE - 1));
    }
    for (let x = 0; x < SIDE; x += 16) {
      const at = middle + x;
      const beside = v128.add<i8>(v128.load(at - 1), v128.load(at + 1));
      const further = v128.add<i8>(v128.load(at - 2), v128.load(at + 2));
      v128.store(across + y * SIDE + x, v128.add<i8>(v128.load(at), v128.add<i8>(beside, further)));
    }
  }
  const low = v128.load(table);
  const high = v128.load(table, 16);
  for (let y = 0; y < SIDE; y++) {
    for (let x = 0; x < SIDE; x += 16) {
      let sum = i8x16.splat(0);
      for (let k = -RADIUS; k <= RADIUS; k++)
        sum = v128.add<i8>(sum, v128.load(across + min(SIDE - 1, max(0, y + k)) * SIDE + x));
      // A place beyond a table of 16 gives 0.
      const found = v128.or(v128.swizzle(low, sum), v128.swizzle(high, v128.sub<i8>(sum, i8x16.splat(16))));
      v128.store(out + y * SIDE + x, found);
    }
  }
}

/** Bytes of two planes by turns. @param n of each, in sixteens */
export function interleave(first: usize, second: usize, out: usize, n: i32): void {
  for (let i: usize = 0; i < <usize>n; i += 16) {
    const a = v128.load(first + i);
    const b = v128.load(second + i);
    v128.store(out + 2 * i, v128.shuffle<u8>(a, b, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23));
    v128.store(out + 2 * i, v128.shuffle<u8>(a, b, 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31), 16);
  }
}
