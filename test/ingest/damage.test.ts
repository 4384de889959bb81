import { readFileSync, writeFileSync } from 'node:fs';
import installer from '@ffmpeg-installer/ffmpeg';
import { beforeAll, describe, expect, it } from 'vitest';
import { tellsDamage } from '../../src/ingest/decoder-lines.ts';
import { openFileSource } from '../../src/ingest/file/file-source.ts';
import { makeClip } from '../support/clips.ts';
import { ffmpeg, scratch } from '../support/command.ts';
import { videoPackets, withoutPacket, worstStrip } from '../support/damage.ts';

const { at } = scratch('damage');
const WIDTH = 480;
/** Mean difference of luma in a strip, of which nobody would say that it is the same picture. */
const WRONG = 10;
const CODINGS: Record<string, readonly string[]> = {
  h264: ['-c:v', 'libx264', '-preset', 'veryfast', '-g', '25'],
  slices: ['-c:v', 'libx264', '-preset', 'veryfast', '-g', '25', '-x264-params', 'slices=4'],
  refresh: ['-c:v', 'libx264', '-preset', 'veryfast', '-g', '25', '-x264-params', 'intra-refresh=1:bframes=0'],
  hevc: ['-c:v', 'libx265', '-preset', 'ultrafast', '-x265-params', 'log-level=error:keyint=25'],
};

beforeAll(() => makeClip(at('clip.mp4'), 4));

interface Picture {
  readonly damaged: boolean;
  readonly luma: Uint8Array;
}

/** Pictures by their time in milliseconds. */
async function decode(path: string, ffmpegPath?: string): Promise<{ pictures: Map<number, Picture>; errors: number }> {
  const source = await openFileSource(path, {
    ...{ poolFrames: 16, damageLookback: 32 },
    ...(ffmpegPath && { ffmpegPath }),
  });
  const { width, height } = source.info.format;
  const pictures = new Map<number, Picture>();
  const held: (() => void)[] = [];
  await new Promise<void>((resolve, reject) => {
    source.frames.subscribe({
      next: (frame) => {
        // As the stages do: what is said of a frame while they hold it is heard.
        held.push(() => {
          const luma = Uint8Array.from(new Uint8Array(frame.slot.memory, 0, width * height));
          pictures.set(Math.round(frame.timestampUs / 1000), { damaged: frame.damaged, luma });
          frame.close();
        });
        if (held.length > 4) held.shift()!();
      },
      error: reject,
      complete: resolve,
    });
  });
  for (const take of held) take();
  await source.close();
  return { pictures, errors: source.decodeErrors };
}

/** Of an Annex B stream, each with its start code. */
function nalUnits(stream: Buffer): Buffer[] {
  const starts: number[] = [];
  for (let i = stream.indexOf('\x00\x00\x01', 0, 'latin1'); i >= 0; i = stream.indexOf('\x00\x00\x01', i + 3, 'latin1'))
    starts.push(i);
  return starts.map((start, i) => stream.subarray(start, starts[i + 1]));
}

describe('a recording that lacks one packet of its transport stream', () => {
  it.each(Object.keys(CODINGS))('has every wrong picture marked, and no other recording has one: %s', async (name) => {
    ffmpeg('-i', at('clip.mp4'), '-an', ...CODINGS[name]!, at(`${name}.ts`));
    const clean = await decode(at(`${name}.ts`));
    expect(clean.errors).toBe(0);
    expect([...clean.pictures.values()].some((p) => p.damaged)).toBe(false);
    let wrong = 0;
    for (const share of [0.1, 0.33, 0.52, 0.7, 0.93]) {
      const stream = readFileSync(at(`${name}.ts`));
      const packets = videoPackets(stream);
      writeFileSync(at('lost.ts'), withoutPacket(stream, packets[Math.floor(packets.length * share)]!));
      const { pictures, errors } = await decode(at('lost.ts'));
      for (const [time, { damaged, luma }] of pictures) {
        const whole = clean.pictures.get(time);
        if (whole && worstStrip(whole.luma, luma, WIDTH) < WRONG) continue;
        wrong++;
        expect([share, time, damaged, errors > 0]).toEqual([share, time, true, true]);
      }
    }
    expect(wrong).toBeGreaterThan(0);
  });
});

it.each([
  ['as it is installed', undefined],
  ['before version 5', installer.path],
])('marks a picture that lacks a slice, of which no packet is missing: ffmpeg %s', async (_, ffmpegPath) => {
  const coding = [
    '-c:v',
    'libx264',
    '-preset',
    'veryfast',
    '-tune',
    'zerolatency',
    '-g',
    '25',
    '-x264-params',
    'slices=4',
  ];
  ffmpeg('-i', at('clip.mp4'), '-an', ...coding, '-f', 'h264', at('slices.h264'));
  const stream = readFileSync(at('slices.h264'));
  const units = nalUnits(stream);
  const slices = units.filter((unit) => [1, 5].includes(unit[3]! & 31));
  writeFileSync(at('slice-lost.h264'), Buffer.concat(units.filter((unit) => unit !== slices[42])));
  for (const [name, found] of [
    ['slices.h264', false],
    ['slice-lost.h264', true],
  ] as const) {
    const { pictures, errors } = await decode(at(name), ffmpegPath);
    expect(pictures.size).toBeGreaterThan(50);
    expect([name, errors > 0, [...pictures.values()].some((picture) => picture.damaged)]).toEqual([name, found, found]);
  }
});

it('tells lines about pictures from harmless ones', () => {
  const damage = [
    '[h264 @ 0x5] [error] error while decoding MB 7 19, bytestream -5',
    '[warning] file:a.ts: corrupt input packet in stream 0',
    '[warning] file:a.ts: corrupt decoded frame in stream 0',
    '[vist#0:0/h264 @ 0x5] [warning] corrupt decoded frame',
    '[mpegts @ 0x5] [warning] Packet corrupt (stream = 0, dts = 136800).',
    '[h264 @ 0x5] [warning] concealing 120 DC, 120 AC, 120 MV errors in P frame',
    '[h264 @ 0x5] [info] concealing 120 DC, 120 AC, 120 MV errors in P frame',
    '[info] frame=    1 fps=0.0 q=-0.0 size=N/A time=00:00:00.04 [h264 @ 0x5] [info] concealing 600 DC, 600 AC, 600 MV errors in P frame',
  ];
  const harmless = [
    '[swscaler @ 0x5] [warning] deprecated pixel format used, make sure you did set range correctly',
    '[warning] Guessed Channel Layout for Input Stream #0.1 : stereo',
    '[nut @ 0x5] [warning] Application provided invalid, non monotonically increasing dts to muxer in stream 0',
    '[warning] file:corrupt.mp4: could not seek to position 1.000',
    '[warning] -vsync is deprecated. Use -fps_mode',
    '[info] corrupt decoded frame',
    '[info]     title           : concealing 5 faces',
  ];
  expect(damage.filter((line) => !tellsDamage(line))).toEqual([]);
  expect(harmless.filter(tellsDamage)).toEqual([]);
});
