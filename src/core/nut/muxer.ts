import type { AudioFormat, AudioPacket } from '../audio/audio-track.ts';
import { AUDIO, FILE_ID, Flag, MAIN, STREAM, SYNCPOINT, VIDEO } from './constants.ts';
import { crc32, VarintWriter } from './varint.ts';

/** Largest distance between syncpoints that ffmpeg accepts; a syncpoint goes before every picture here. */
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

/**
 * File id, main header and stream headers, time base 1/1000000 s: pictures are stream 0, sound beside them is stream 1.
 * @param tag four characters: raw I420, or `H264` for Annex B access units
 */
export function nutHeader(width: number, height: number, tag = 'I420', audio?: AudioFormat): Uint8Array {
  const size = new VarintWriter().v(width).v(height).v(1).v(1).v(0);
  const pictures = streamHeader(0, VIDEO, new TextEncoder().encode(tag), new Uint8Array(), size.done());
  return concat(FILE_ID, mainHeader(audio ? 2 : 1), pictures, audio ? audioHeader(1, audio) : new Uint8Array());
}

/** The same for one coded sound alone. */
export function nutAudioHeader(format: AudioFormat): Uint8Array {
  return concat(FILE_ID, mainHeader(1), audioHeader(0, format));
}

function mainHeader(streams: number): Uint8Array {
  const main = new VarintWriter().v(3).v(streams).v(MAX_DISTANCE).v(1).v(1).v(1_000_000);
  // One row fills the frame code table: every frame says all of its fields itself.
  main.v(Flag.coded).v(6).s(0).v(1).v(0).v(0).v(0).v(255).v(0);
  return packet(MAIN, main.done());
}

function audioHeader(id: number, { tag, extradata, sampleRate, channels }: AudioFormat): Uint8Array {
  return streamHeader(id, AUDIO, tag, extradata, new VarintWriter().v(sampleRate).v(1).v(channels).done());
}

function streamHeader(id: number, kind: number, tag: Uint8Array, extradata: Uint8Array, rest: Uint8Array): Uint8Array {
  const stream = new VarintWriter().v(id).v(kind).vb(tag).v(0).v(PTS_SHIFT).v(1_000_000_000).v(0).v(0).vb(extradata);
  return packet(STREAM, concat(stream.done(), rest));
}

/**
 * What goes before the `byteLength` bytes of one picture. @param timestampUs ≥ 0
 * @param sound packets of stream 1 that go before it
 */
export function nutFrameHeader(
  timestampUs: number,
  byteLength: number,
  sound: readonly AudioPacket[] = [],
): Uint8Array {
  const packets = sound.flatMap((one) => [frameHeader(1, one.timestampUs, one.data.length), one.data]);
  const firstUs = Math.min(timestampUs, sound[0]?.timestampUs ?? timestampUs);
  return concat(nutSyncpoint(firstUs), ...packets, frameHeader(0, timestampUs, byteLength));
}

/** One packet of a sound that is alone. At most 64 KB may follow a syncpoint, and a reader remembers each one for ever. */
export function nutAudioPacket({ timestampUs, data }: AudioPacket): Uint8Array {
  return concat(frameHeader(0, timestampUs, data.length), data);
}

export function nutSyncpoint(timestampUs: number): Uint8Array {
  return packet(SYNCPOINT, new VarintWriter().v(timestampUs).v(0).done());
}

function frameHeader(id: number, timestampUs: number, byteLength: number): Uint8Array {
  const flags = Flag.key | Flag.codedPts | Flag.streamId | Flag.sizeMsb | Flag.checksum;
  const head = new VarintWriter()
    .byte(0)
    .v(flags)
    .v(id)
    .v(timestampUs + (1 << PTS_SHIFT))
    .v(byteLength)
    .done();
  return concat(head, new VarintWriter().u32(crc32(head)).done());
}
