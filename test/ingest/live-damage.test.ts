import { readFileSync, writeFileSync } from 'node:fs';
import type { Readable } from 'node:stream';
import { beforeAll, describe, expect, it } from 'vitest';
import { findFfmpeg } from '../../src/core/ffmpeg.ts';
import { planeLayout } from '../../src/core/video-frame.ts';
import { spawnLiveDecoder } from '../../src/ingest/live/decoder-arguments.ts';
import { DecoderLog } from '../../src/ingest/live/decoder-log.ts';
import { readPictures } from '../../src/ingest/live/picture-reader.ts';
import { makeClip } from '../support/clips.ts';
import { ffmpeg, ffprobe, scratch } from '../support/command.ts';
import { videoPackets, withoutPacket, worstStrip } from '../support/damage.ts';

const { at } = scratch('live-damage');
const [WIDTH, HEIGHT] = [480, 320];
/** Mean difference of luma in a strip, of which nobody would say that it is the same picture. */
const WRONG = 10;
const SPOILT_PICTURE = 30;

beforeAll(() => makeClip(at('clip.mp4'), 3));

interface Picture {
  readonly damaged: boolean;
  readonly luma: Uint8Array;
}

/** As a live source does: what the log says of a picture when it is read, or soon after. */
async function decode(path: string): Promise<Map<number, Picture>> {
  const pictures = new Map<number, Picture>();
  let recent: { damaged: boolean }[] = [];
  const log = new DecoderLog(() => {
    for (const picture of recent) picture.damaged = true;
  });
  const input = { from: `file:${path}`, options: ['-readrate', '2', '-copyts'] };
  const child = spawnLiveDecoder(await findFfmpeg(), input, undefined, false, (line) => log.line(line));
  const { byteLength } = planeLayout(WIDTH, HEIGHT);
  await readPictures(child.process.stdout as Readable, {
    onStream: () => {},
    slot: () => ({ index: 0, memory: new SharedArrayBuffer(byteLength), release: () => {} }),
    onPicture: (slot, timestampUs) => {
      const luma = new Uint8Array(slot!.memory, 0, WIDTH * HEIGHT);
      const picture = { damaged: log.isDamaged(timestampUs), luma };
      pictures.set(Math.round(timestampUs / 1000), picture);
      recent = [...recent.slice(-3), picture];
    },
  });
  await child.exited;
  return pictures;
}

/** @param packet of the picture that is left out: x265 begins with its settings */
function spoil(path: string, spoilt: string, codec: string, packet: number): void {
  const bytes = readFileSync(path);
  const shown = ['-select_streams', 'v', '-show_entries', 'packet=pos', '-of', 'default=nk=1:nw=1', path];
  let from = Number(
    ffprobe(...shown)
      .split('\n')
      .filter(Boolean)[SPOILT_PICTURE],
  );
  if (codec === 'mjpeg') {
    from = bytes.indexOf(Buffer.of(0xff, 0xda), from) + 2000;
    for (let i = 0; i < 60; i++) if (bytes[from + 7 * i] !== 0xff) bytes[from + 7 * i] = 0x77;
    writeFileSync(spoilt, bytes);
    return;
  }
  const packets = videoPackets(bytes).filter((packet) => packet >= from);
  writeFileSync(spoilt, withoutPacket(bytes, packets[packet]!));
}

describe('a key picture that is damaged itself', () => {
  const KEYS = ['-g', '30', '-keyint_min', '30', '-sc_threshold', '0'];
  it.each([
    ['h264', 'ts', ['-c:v', 'libx264', '-x264-params', 'slices=4', '-tune', 'zerolatency', ...KEYS]],
    ['h264 with B pictures', 'ts', ['-c:v', 'libx264', '-preset', 'veryfast', ...KEYS]],
    ['hevc', 'ts', ['-c:v', 'libx265', '-x265-params', 'log-level=error:keyint=30:min-keyint=30:open-gop=0']],
    ['mjpeg', 'mkv', ['-c:v', 'mjpeg', '-q:v', '4']],
  ])('does not end the damage: %s', async (name, container, coding) => {
    const [clean, spoilt] = [at(`clean-${name}.${container}`), at(`spoilt-${name}.${container}`)];
    ffmpeg('-i', at('clip.mp4'), '-an', ...coding, clean);
    spoil(clean, spoilt, name, name === 'hevc' ? 25 : 8);
    const [whole, found] = [await decode(clean), await decode(spoilt)];
    expect([...whole.values()].some((p) => p.damaged)).toBe(false);
    let wrong = 0;
    for (const [time, { damaged, luma }] of found) {
      const same = whole.get(time)?.luma;
      if (same && worstStrip(same, luma, WIDTH) < WRONG) continue;
      wrong++;
      expect([time, damaged]).toEqual([time, true]);
    }
    expect(wrong).toBeGreaterThan(0);
    expect([...found.values()].at(-1)!.damaged).toBe(false);
  });
});
