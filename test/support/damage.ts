import { meanDifference } from './command.ts';

const STRIP_ROWS = 16;
const TS_PACKET = 188;
const VIDEO_PID = 0x100;

/** The worst strip's mean difference of luma: a picture of which one strip is wrong is wrong. */
export function worstStrip(a: Uint8Array, b: Uint8Array, width: number): number {
  const strip = width * STRIP_ROWS;
  let worst = 0;
  for (let i = 0; i + strip <= a.length; i += strip)
    worst = Math.max(worst, meanDifference(a.subarray(i, i + strip), b.subarray(i, i + strip)));
  return worst;
}

/** Where the packets of the picture begin in a transport stream written by ffmpeg. */
export function videoPackets(stream: Buffer): number[] {
  const found: number[] = [];
  for (let i = 0; i + TS_PACKET <= stream.length; i += TS_PACKET)
    if ((stream.readUInt16BE(i + 1) & 0x1fff) === VIDEO_PID) found.push(i);
  return found;
}

export function withoutPacket(stream: Buffer, at: number): Buffer {
  return Buffer.concat([stream.subarray(0, at), stream.subarray(at + TS_PACKET)]);
}
