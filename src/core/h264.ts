/** NAL unit types of H.264 that matter to a relay. */
export const NalType = { slice: 1, idr: 5, sei: 6, sps: 7, pps: 8, aud: 9, stapA: 24, fuA: 28 } as const;

export const nalType = (nal: Uint8Array): number => (nal[0] ?? 0) & 0x1f;

/** The NAL units of an Annex B byte stream, without start codes; views into `data`. */
export function splitAnnexB(data: Uint8Array): Uint8Array[] {
  const nals: Uint8Array[] = [];
  let begin = -1;
  let at = 0;
  while (at + 2 < data.length) {
    if (data[at + 2]! > 1) at += 3;
    else if (data[at] === 0 && data[at + 1] === 0 && data[at + 2] === 1) {
      if (begin >= 0) pushTrimmed(nals, data, begin, at);
      begin = at + 3;
      at = begin;
    } else at++;
  }
  if (begin >= 0) pushTrimmed(nals, data, begin, data.length);
  return nals;
}

function pushTrimmed(nals: Uint8Array[], data: Uint8Array, begin: number, end: number): void {
  // A NAL unit never ends in a zero byte: what is there belongs to the next start code or is padding.
  while (end > begin && data[end - 1] === 0) end--;
  if (end > begin) nals.push(data.subarray(begin, end));
}

export function joinAnnexB(nals: readonly Uint8Array[]): Uint8Array {
  const out = new Uint8Array(nals.reduce((sum, nal) => sum + nal.length + 4, 0));
  let at = 0;
  for (const nal of nals) {
    out[at + 3] = 1;
    out.set(nal, at + 4);
    at += nal.length + 4;
  }
  return out;
}

class BitReader {
  readonly #data: Uint8Array;
  #at = 0;
  constructor(data: Uint8Array) {
    this.#data = data;
  }
  bits(count: number): number {
    let value = 0;
    for (let i = 0; i < count; i++, this.#at++) {
      const byte = this.#data[this.#at >> 3];
      if (byte === undefined) throw new RangeError('the parameter set ends too early');
      value = value * 2 + ((byte >> (7 - (this.#at & 7))) & 1);
    }
    return value;
  }
  /** Exp-Golomb, unsigned. */
  ue(): number {
    let zeros = 0;
    while (this.bits(1) === 0) if (++zeros > 31) throw new RangeError('a code in the parameter set is too long');
    return 2 ** zeros - 1 + this.bits(zeros);
  }
  se(): number {
    const k = this.ue();
    return k & 1 ? (k + 1) / 2 : -k / 2;
  }
}

function withoutEmulation(nal: Uint8Array): Uint8Array {
  const out: number[] = [];
  for (let i = 0; i < nal.length; i++) {
    if (i >= 2 && nal[i] === 3 && nal[i - 1] === 0 && nal[i - 2] === 0) continue;
    out.push(nal[i]!);
  }
  return Uint8Array.from(out);
}

const HIGH_PROFILES = new Set([44, 83, 86, 100, 110, 118, 122, 128, 134, 135, 138, 139, 244]);

function skipScalingLists(bits: BitReader, count: number): void {
  for (let list = 0; list < count; list++) {
    if (!bits.bits(1)) continue;
    let next = 8;
    for (let i = 0, last = 8; i < (list < 6 ? 16 : 64) && next !== 0; i++) {
      next = (last + bits.se() + 256) % 256;
      if (next !== 0) last = next;
    }
  }
}

/** Picture size in pixels after cropping, from a sequence parameter set; undefined when it is malformed. */
export function h264Size(sps: Uint8Array): { width: number; height: number } | undefined {
  try {
    return readSize(new BitReader(withoutEmulation(sps)));
  } catch (error) {
    if (error instanceof RangeError) return undefined;
    throw error;
  }
}

function readSize(bits: BitReader): { width: number; height: number } | undefined {
  bits.bits(8);
  const profile = bits.bits(8);
  bits.bits(16);
  bits.ue();
  let chroma = 1;
  if (HIGH_PROFILES.has(profile)) {
    chroma = bits.ue();
    if (chroma === 3) bits.bits(1);
    bits.ue();
    bits.ue();
    bits.bits(1);
    if (bits.bits(1)) skipScalingLists(bits, chroma === 3 ? 12 : 8);
  }
  bits.ue();
  const orderType = bits.ue();
  if (orderType === 0) bits.ue();
  else if (orderType === 1) {
    bits.bits(1);
    bits.se();
    bits.se();
    const cycle = bits.ue();
    if (cycle > 255) return undefined;
    for (let i = 0; i < cycle; i++) bits.se();
  }
  bits.ue();
  bits.bits(1);
  const columns = bits.ue() + 1;
  const rows = bits.ue() + 1;
  const frameOnly = bits.bits(1);
  if (!frameOnly) bits.bits(1);
  bits.bits(1);
  let crop = [0, 0, 0, 0];
  if (bits.bits(1)) crop = [bits.ue(), bits.ue(), bits.ue(), bits.ue()];
  const unitX = chroma === 1 || chroma === 2 ? 2 : 1;
  const unitY = (chroma === 1 ? 2 : 1) * (2 - frameOnly);
  const width = columns * 16 - unitX * (crop[0]! + crop[1]!);
  const height = rows * 16 * (2 - frameOnly) - unitY * (crop[2]! + crop[3]!);
  return width > 0 && height > 0 && width <= 16384 && height <= 16384 ? { width, height } : undefined;
}
