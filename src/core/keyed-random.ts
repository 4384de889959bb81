import { hkdfSync } from 'node:crypto';

/** A number in (0, 1), never 0 or 1, from a key by HKDF-SHA-256 (RFC 5869): the same for the same key and name. */
export function keyedUniform(key: Uint8Array, name: string): number {
  return uniforms(key, name, 1)(0);
}

/** Standard normal numbers, by Box–Muller. */
export function keyedNormals(key: Uint8Array, name: string, count: number): Float64Array {
  const uniform = uniforms(key, name, 2 * Math.ceil(count / 2));
  return Float64Array.from({ length: count }, (_, i) => {
    const radius = Math.sqrt(-2 * Math.log(uniform(i & ~1)));
    const angle = 2 * Math.PI * uniform((i & ~1) + 1);
    return radius * (i & 1 ? Math.sin(angle) : Math.cos(angle));
  });
}

/** 0 … count − 1, of at most 2040, in an order that the key decides (Fisher and Yates). */
export function keyedOrder(key: Uint8Array, name: string, count: number): Uint32Array {
  const order = Uint32Array.from({ length: count }, (_, i) => i);
  const uniform = uniforms(key, name, count);
  for (let i = count - 1; i > 0; i--) {
    const other = Math.floor(uniform(i) * (i + 1));
    [order[i], order[other]] = [order[other]!, order[i]!];
  }
  return order;
}

/** HKDF gives 255 hashes at most: 2040 numbers. */
function uniforms(key: Uint8Array, name: string, count: number): (i: number) => number {
  const words = new DataView(hkdfSync('sha256', key, new Uint8Array(0), name, 4 * count));
  return (i) => (words.getUint32(4 * i, true) + 0.5) / 2 ** 32;
}
