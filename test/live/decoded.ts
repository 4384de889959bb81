import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { RtpPacket } from 'werift';
import { ivfFrameHeader, ivfHeader } from '../../src/core/ivf.ts';
import { sequenceDistance } from '../../src/core/rtp.ts';
import { H264Depacketizer } from '../../src/core/rtp-h264.ts';
import { Vp8Depacketizer } from '../../src/core/rtp-vp8.ts';
import type { VideoCodecName } from '../../src/core/webrtc/offer.ts';
import { temporaryFolder } from './support.ts';

export interface Decoded {
  /** Sequence numbers between the first and the last that are missing. */
  readonly holes: number;
  readonly pictures: number;
  /** What a decoder made of the pictures. */
  readonly frames: number;
  /** What it said. */
  readonly complaints: string;
  /** Lightest less darkest pixel of the frame in which they are farthest apart; 0 without a frame. */
  readonly contrast: number;
}

/** Puts packets into their order and gives what is in them to a decoder. */
export function decoded(packets: readonly RtpPacket[], codec: VideoCodecName): Decoded {
  const first = packets[0]!.header.sequenceNumber;
  const at = ({ header }: RtpPacket) => sequenceDistance(header.sequenceNumber, first);
  const ordered = [...new Map(packets.map((packet) => [at(packet), packet]))].sort(([a], [b]) => a - b);
  const depacketizer = codec === 'vp8' ? new Vp8Depacketizer() : new H264Depacketizer();
  const parts: Uint8Array[] = codec === 'vp8' ? [ivfHeader(320, 240)] : [];
  let pictures = 0;
  for (const [, { header, payload }] of ordered) {
    const { sequenceNumber, timestamp, marker } = header;
    for (const picture of depacketizer.push({ sequenceNumber, timestamp, marker, payload })) {
      if (picture === 'broken') continue;
      if (codec === 'vp8') parts.push(ivfFrameHeader(picture.data.length, pictures));
      parts.push(picture.data);
      pictures++;
    }
  }
  const path = join(temporaryFolder(), 'decoded');
  writeFileSync(path, Buffer.concat(parts));
  const format = codec === 'vp8' ? 'ivf' : 'h264';
  const args = ['-v', 'error', '-f', format, '-i', path, '-f', 'framecrc', '-'];
  const { stdout, stderr } = spawnSync('ffmpeg', args, { encoding: 'utf8' });
  const frames = stdout.split('\n').filter((line) => /^\d/.test(line)).length;
  return {
    holes: ordered.at(-1)![0] - ordered[0]![0] + 1 - ordered.length,
    pictures,
    frames,
    complaints: stderr.trim(),
    contrast: contrastOf(path, format),
  };
}

function contrastOf(path: string, format: string): number {
  const print = ['-vf', 'signalstats,metadata=print:file=-', '-f', 'null', '/dev/null'];
  const { stdout } = spawnSync('ffmpeg', ['-v', 'error', '-f', format, '-i', path, ...print], { encoding: 'utf8' });
  const values = (name: string) =>
    [...stdout.matchAll(new RegExp(`signalstats\\.${name}=(\\d+)`, 'g'))].map((m) => Number(m[1]));
  const [low, high] = [values('YMIN'), values('YMAX')];
  return high.reduce((most, light, i) => Math.max(most, light - low[i]!), 0);
}
