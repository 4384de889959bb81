import { FILE_ID, Flag, MAIN, STREAM, SYNCPOINT } from './constants.ts';
import { crc32, VarintWriter } from './varint.ts';

/** Largest distance between syncpoints that ffmpeg accepts; a syncpoint goes before every frame here. */
const MAX_DISTANCE = 65_536;
const PTS_SHIFT = 7;

function packet(startcode: Uint8Array, payload: Uint8Array): Uint8Array {
  const forward = new VarintWriter().v(payload.length + 4).done();
  const head =
    payload.length + 4 > 4096 ? new VarintWriter().u32(crc32(concat(startcode, forward))).done() : new Uint8Array();
  return concat(startcode, forward, head, payload, new VarintWriter().u32(crc32(payload)).done());
}

function concat(...parts: Uint8Array[]): Uint8Array {
  const out = new Uint8Array(parts.reduce((n, p) => n + p.length, 0));
  let at = 0;
  for (const part of parts) {
    out.set(part, at);
    at += part.length;
  }
  return out;
}

/** File id, main header and the header of the one video stream, time base 1/1000000 s. @param tag four characters: raw I420, or `H264` for Annex B access units */
export function nutHeader(width: number, height: number, tag = 'I420'): Uint8Array {
  const main = new VarintWriter().v(3).v(1).v(MAX_DISTANCE).v(1).v(1).v(1_000_000);
  // One row fills the frame code table: every frame says all of its fields itself.
  main.v(Flag.coded).v(6).s(0).v(1).v(0).v(0).v(0).v(255).v(0);
  const fourcc = new TextEncoder().encode(tag);
  const stream = new VarintWriter()
    .v(0)
    .v(0)
    .vb(fourcc)
    .v(0)
    .v(PTS_SHIFT)
    .v(1_000_000_000)
    .v(0)
    .v(0)
    .vb(new Uint8Array());
  stream.v(width).v(height).v(1).v(1).v(0);
  return concat(FILE_ID, packet(MAIN, main.done()), packet(STREAM, stream.done()));
}

/** What goes before the `byteLength` bytes of one picture. @param timestampUs ≥ 0 */
export function nutFrameHeader(timestampUs: number, byteLength: number): Uint8Array {
  const sync = packet(SYNCPOINT, new VarintWriter().v(timestampUs).v(0).done());
  const flags = Flag.key | Flag.codedPts | Flag.sizeMsb | Flag.checksum;
  const head = new VarintWriter()
    .byte(0)
    .v(flags)
    .v(timestampUs + (1 << PTS_SHIFT))
    .v(byteLength)
    .done();
  return concat(sync, head, new VarintWriter().u32(crc32(head)).done());
}
