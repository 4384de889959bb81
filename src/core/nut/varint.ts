/** Thrown by a reader that ran out of bytes: wait for the next chunk and parse again. */
export const NEED_MORE = Symbol('need more bytes');

const CRC_TABLE = (() => {
  const table = new Uint32Array(256);
  for (let i = 0; i < 256; i++) {
    let c = i << 24;
    for (let k = 0; k < 8; k++) c = c & 0x80000000 ? (c << 1) ^ 0x04c11db7 : c << 1;
    table[i] = c >>> 0;
  }
  return table;
})();

/** NUT's checksum: CRC-32, polynomial 0x04C11DB7, most significant bit first, start 0 (NUT specification, "checksum"). */
export function crc32(bytes: Uint8Array): number {
  let c = 0;
  for (const byte of bytes) c = ((c << 8) ^ CRC_TABLE[(c >>> 24) ^ byte]!) >>> 0;
  return c;
}

/** Reads NUT's variable-length numbers from a buffer that may end too early. Values up to 2^53. */
export class VarintReader {
  readonly bytes: Uint8Array;
  at: number;
  readonly end: number;

  constructor(bytes: Uint8Array, at: number, end: number) {
    this.bytes = bytes;
    this.at = at;
    this.end = end;
  }

  byte(): number {
    if (this.at >= this.end) throw NEED_MORE;
    return this.bytes[this.at++]!;
  }

  /** Unsigned ("v"). */
  v(): number {
    let value = 0;
    for (;;) {
      const byte = this.byte();
      value = value * 128 + (byte & 127);
      if (!(byte & 128)) return value;
    }
  }

  /** Signed ("s"). */
  s(): number {
    const value = this.v() + 1;
    return value & 1 ? -Math.floor(value / 2) : Math.floor(value / 2);
  }

  u32(): number {
    return (this.byte() * 2 ** 24 + (this.byte() << 16) + (this.byte() << 8) + this.byte()) >>> 0;
  }

  /** Length-prefixed bytes ("vb"). */
  vb(): Uint8Array {
    const length = this.v();
    if (this.at + length > this.end) throw NEED_MORE;
    this.at += length;
    return this.bytes.slice(this.at - length, this.at);
  }
}

/** Writes the same. */
export class VarintWriter {
  readonly #bytes: number[] = [];

  byte(...values: number[]): this {
    this.#bytes.push(...values);
    return this;
  }

  v(value: number): this {
    const groups = [value % 128];
    for (let rest = Math.floor(value / 128); rest > 0; rest = Math.floor(rest / 128)) groups.push((rest % 128) + 128);
    this.#bytes.push(...groups.reverse());
    return this;
  }

  s(value: number): this {
    return this.v(value > 0 ? 2 * value - 1 : -2 * value);
  }

  vb(bytes: Uint8Array): this {
    return this.v(bytes.length).byte(...bytes);
  }

  u32(value: number): this {
    return this.byte((value >>> 24) & 255, (value >>> 16) & 255, (value >>> 8) & 255, value & 255);
  }

  done(): Uint8Array {
    return Uint8Array.from(this.#bytes);
  }
}
