import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import type { Readable } from 'node:stream';
import { describe, expect, it } from 'vitest';
import type { AudioFormat, AudioPacket } from '../../src/core/audio/audio-track.ts';
import { NUT_OUTPUT } from '../../src/core/nut/constants.ts';
import { NutDemuxer } from '../../src/core/nut/demuxer.ts';
import { type NutOptions, NutWriter } from '../../src/core/nut/muxer.ts';

const installed = createRequire(import.meta.url)('@ffmpeg-installer/ffmpeg') as { path: string };
const FFMPEGS: [string, string, NutOptions][] = [
  ['the system', 'ffmpeg', { narrow: false }],
  ['the package', installed.path, { narrow: true }],
];
const READ = ['-hide_banner', '-v', 'error', '-copyts', '-f', 'nut', '-fpsprobesize', '0', '-probesize', '32'];
const SIZE = { width: 16, height: 16 };
const PIXELS = new Uint8Array((SIZE.width * SIZE.height * 3) / 2).fill(90);
const alaw: AudioFormat = {
  tag: Uint8Array.of(6, 0, 0, 0),
  extradata: new Uint8Array(),
  sampleRate: 8000,
  channels: 1,
};
const DAY_US = 86_400e6;
/** A variable rate: gaps from a tick of 1/90000 s to a minute. */
const TIMES = [0, 11, 22, 33_344, 33_356, 100_000, 7_000_001, 67_000_000, 67_040_000];
/** Before and after 31 and 32 bits of microseconds are full, and in a camera's third week. */
const STARTS = [0, 2 ** 31 - 50_000, 2 ** 32 - 50_000, 21 * DAY_US + 7];

/** Time stamps by stream as ffmpeg reads them, and what else it tells of the pictures. */
function framecrc(ffmpeg: string, stream: Uint8Array): { times: [number[], number[]]; pictures: Set<string> } {
  const args = [...READ, '-i', 'pipe:0', '-map', '0', '-c', 'copy', '-f', 'framecrc', '-'];
  const found = { times: [[], []] as [number[], number[]], pictures: new Set<string>() };
  let ticksPerSecond = 0;
  for (const line of execFileSync(ffmpeg, args, { input: stream, encoding: 'utf8' }).split('\n')) {
    ticksPerSecond = Number(/^#tb 0: 1\/(\d+)/.exec(line)?.[1] ?? ticksPerSecond);
    const [id, , pts, , size, , ...flags] = line.split(',').map((field) => field.trim());
    if (!/^[01]$/.test(id!)) continue;
    found.times[Number(id) as 0 | 1].push(Math.round((Number(pts) * 1e6) / ticksPerSecond));
    if (id === '0') found.pictures.add([size, ...flags].join(' '));
  }
  return found;
}

describe.each(FFMPEGS)('NUT as ffmpeg of %s reads it', (_, ffmpeg, reader) => {
  it.each(STARTS)('keeps the time stamps of pictures and sound, all of them key frames, from %d us on', (startUs) => {
    const sound = (timestampUs: number): AudioPacket => ({ timestampUs, data: new Uint8Array(160) });
    const times = TIMES.map((us) => startUs + us);
    for (const endless of [false, true]) {
      const nut = new NutWriter(SIZE, { ...reader, endless, audio: alaw });
      const parts = times.flatMap((us) => [nut.picture(us, PIXELS.length, [sound(us)]), PIXELS]);
      const read = framecrc(ffmpeg, Buffer.concat([nut.header, ...parts]));
      const [pictures, sounds] = read.times;
      const rounding = reader.narrow && endless ? 6 : 0;
      const expectTimes = (got: number[], wanted: number[]) => {
        expect(got).toHaveLength(wanted.length);
        for (const [i, time] of got.entries()) expect(Math.abs(time - wanted[i]!)).toBeLessThanOrEqual(rounding);
      };
      expectTimes(pictures, times);
      expectTimes(sounds, times);
      // What is no key frame would have its flags told.
      expect([...read.pictures]).toEqual([String(PIXELS.length)]);
    }
  });
});

const START_US = 21 * DAY_US;

describe.each(FFMPEGS)('a reader that is quicker than we are: %s', (_, ffmpeg, reader) => {
  it.each(['nothing', 'the header', 'the first picture’s header'])(
    'gets all pictures after %s alone',
    async (alone) => {
      const nut = new NutWriter(SIZE, { ...reader, endless: true });
      const child = spawn(ffmpeg, [...READ, '-i', 'pipe:0', '-c', 'copy', '-f', 'framecrc', '-'], {
        stdio: ['pipe', 'pipe', 'inherit'],
      });
      let out = '';
      child.stdout.setEncoding('utf8').on('data', (text: string) => (out += text));
      const ended = once(child, 'close');
      const pieces = [nut.header, nut.picture(START_US, PIXELS.length), PIXELS];
      const cut = ['nothing', 'the header', 'the first picture’s header'].indexOf(alone);
      for (const part of [pieces.slice(0, cut), pieces.slice(cut)]) {
        if (part.length > 0) child.stdin.write(Buffer.concat(part));
        // Long enough for an ffmpeg to start and to read what there is: with less the test passes whatever we write.
        await new Promise((resolve) => setTimeout(resolve, 1000));
      }
      child.stdin.end(Buffer.concat([nut.picture(START_US + 40_000, PIXELS.length), PIXELS]));
      await ended;
      expect(out.split('\n').filter((line) => line.startsWith('0,'))).toHaveLength(2);
    },
  );
});

const FRAMES = 60_000;
const timeOf = (i: number) => START_US + i * 40_000 + (i % 7) * 100;
/** Of pictures under way and of the allocator; what grows with the pictures is several times this. */
const ALLOWED_KB = 1500;

const [first, second] = ((nut) => [nut.picture(0, 1), nut.picture(0, 1)])(new NutWriter(SIZE, {}));
const SYNCPOINT = first!.subarray(0, first!.length - second!.length);

/**
 * Passes tiny pictures through ffmpeg as NUT both ways.
 * @param control writes a syncpoint before each, whose time is wrong
 * @returns kilobytes by which ffmpeg's memory grew in the second half
 */
async function growthKb(ffmpeg: string, options: NutOptions, control: boolean): Promise<number> {
  const child = spawn(ffmpeg, [...READ, '-i', 'pipe:0', '-c', 'copy', '-flush_packets', '1', ...NUT_OUTPUT, 'pipe:1'], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const residentKb = () => Number(/VmRSS:\s*(\d+)/.exec(readFileSync(`/proc/${child.pid}/status`, 'latin1'))![1]);
  let [half, end, wrong, count] = [0, 0, 0, 0];
  const reading = (async () => {
    const demuxer = new NutDemuxer();
    let left = 0;
    for await (const chunk of child.stdout as Readable) {
      demuxer.push(chunk as Uint8Array);
      for (;;) {
        left -= demuxer.take(left).length;
        const event = left > 0 ? undefined : demuxer.next();
        if (!event) break;
        if (!('frame' in event)) continue;
        left = event.frame.byteLength;
        if (Math.abs(event.frame.timestampUs - timeOf(count)) > (options.narrow ? 6 : 0)) wrong++;
        count++;
        if (count === FRAMES / 2) half = residentKb();
        if (count === FRAMES - 1) end = residentKb();
      }
    }
  })();
  const nut = new NutWriter(SIZE, { ...options, endless: true });
  const before = control ? SYNCPOINT : new Uint8Array();
  child.stdin.write(nut.header);
  for (let from = 0; from < FRAMES; from += 100) {
    const parts = Array.from({ length: 100 }, (_, i) => [
      ...[before, nut.picture(timeOf(from + i), PIXELS.length), PIXELS],
    ]);
    if (!child.stdin.write(Buffer.concat(parts.flat()))) await new Promise((done) => child.stdin.once('drain', done));
  }
  // The last one comes out at the end only.
  while (count < FRAMES - 1 && child.exitCode === null && child.signalCode === null)
    await new Promise((resolve) => setTimeout(resolve, 10));
  child.stdin.end();
  await reading;
  expect(count).toBe(FRAMES);
  if (!control) expect(wrong).toBe(0);
  return end - half;
}

describe.skipIf(!existsSync('/proc/self/status'))('the memory of an ffmpeg behind our NUT', () => {
  it.each(FFMPEGS)('does not grow with the number of pictures: %s', async (_, ffmpeg, reader) => {
    const [plain, control] = [await growthKb(ffmpeg, reader, false), await growthKb(ffmpeg, { narrow: false }, true)];
    console.info(`${FRAMES / 2} pictures: ${plain} kB, with syncpoints ${control} kB`);
    expect(plain).toBeLessThan(ALLOWED_KB);
    expect(control).toBeGreaterThan(2 * ALLOWED_KB);
  });
});
