/** IVF, the simplest container there is for VP8: one 32-byte header, 12 bytes before each picture. */

const FILE_HEADER = 32;
const FRAME_HEADER = 12;

/** Time base 1/90000 s. */
export function ivfHeader(width: number, height: number): Uint8Array {
  const header = new Uint8Array(FILE_HEADER);
  const view = new DataView(header.buffer);
  header.set(new TextEncoder().encode('DKIF'));
  view.setUint16(6, FILE_HEADER, true);
  header.set(new TextEncoder().encode('VP80'), 8);
  view.setUint16(12, width, true);
  view.setUint16(14, height, true);
  view.setUint32(16, 90_000, true);
  view.setUint32(20, 1, true);
  return header;
}

/** @param ticks presentation time in 1/90000 s, ≥ 0 */
export function ivfFrameHeader(byteLength: number, ticks: number): Uint8Array {
  const header = new Uint8Array(FRAME_HEADER);
  const view = new DataView(header.buffer);
  view.setUint32(0, byteLength, true);
  view.setBigUint64(4, BigInt(ticks), true);
  return header;
}

/** Takes the IVF that an encoder writes apart, whatever pieces it arrives in. */
export class IvfReader {
  #rest: Uint8Array = new Uint8Array();
  #headerRead = false;

  push(chunk: Uint8Array): { data: Uint8Array; ticks: number }[] {
    const bytes = new Uint8Array(this.#rest.length + chunk.length);
    bytes.set(this.#rest);
    bytes.set(chunk, this.#rest.length);
    const view = new DataView(bytes.buffer);
    let at = 0;
    if (!this.#headerRead && bytes.length >= FILE_HEADER) {
      at = FILE_HEADER;
      this.#headerRead = true;
    }
    const out: { data: Uint8Array; ticks: number }[] = [];
    while (this.#headerRead && at + FRAME_HEADER <= bytes.length) {
      const end = at + FRAME_HEADER + view.getUint32(at, true);
      if (end > bytes.length) break;
      out.push({ data: bytes.subarray(at + FRAME_HEADER, end), ticks: Number(view.getBigUint64(at + 4, true)) });
      at = end;
    }
    this.#rest = bytes.subarray(at);
    return out;
  }
}
