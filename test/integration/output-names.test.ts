import { execFileSync, spawn } from 'node:child_process';
import { linkSync, mkdirSync, readFileSync, symlinkSync } from 'node:fs';
import { beforeAll, describe, expect, it } from 'vitest';
import { makeClip } from '../support/clips.ts';
import { scratch, understudy } from '../support/command.ts';

const { at } = scratch('names');
const clip = at('clip.mp4');
let original: Buffer;

beforeAll(() => {
  makeClip(clip, 0.4);
  original = readFileSync(clip);
  symlinkSync(clip, at('symbolic.mp4'));
  linkSync(clip, at('hard.mp4'));
  mkdirSync(at('linked'));
  symlinkSync(at('linked'), at('link'));
  symlinkSync(at('linked/later.mp4'), at('later.mp4'));
});

/** One sentence, the exit code, and the original as it was. */
function refused(args: readonly string[], code: number, says: RegExp): void {
  const result = understudy(['run', ...args]);
  expect(result.stderr).toMatch(says);
  expect(result.stderr.trim().split('\n'), result.stderr).toHaveLength(1);
  expect(result.code).toBe(code);
  expect(readFileSync(clip).equals(original)).toBe(true);
}

describe('names that would overwrite one another', { timeout: 60_000 }, () => {
  it('refuses a report in the place of the original or of the result, links included', () => {
    for (const name of ['clip.mp4', 'symbolic.mp4', 'hard.mp4'])
      refused([clip, at('x.mp4'), '--report', at(name)], 5, /the report .* is the input; give the report a name/);
    refused([clip, at('x.mp4'), '--report', at('x.mp4')], 5, /the report .*x\.mp4 is the output/);
    refused([clip, at('link/x.mp4'), '--report', at('linked/x.mp4')], 5, /is the output/);
    refused([clip, at('linked/later.mp4'), '--report', at('later.mp4')], 5, /is the output/);
  });

  it('refuses such a report of a live stream, and one that cannot be written, before it begins', () => {
    const live = [clip, 'udp://127.0.0.1:59999', '--report'];
    refused([...live, clip], 5, /the report .* is the input/);
    refused([...live, at('nowhere/r.json')], 5, /the folder .*nowhere does not exist/);
    refused(['rtsp://127.0.0.1:1/x', at('x.mkv'), '--report', at('x.mkv')], 5, /the report .* is the output/);
  });

  it('refuses a further output that is the original or another output', () => {
    refused([clip, 'udp://127.0.0.1:59999', '--also', at('symbolic.mp4')], 5, /the output .* is the input/);
    refused(['rtsp://127.0.0.1:1/x', at('x.mp4'), '--also', at('x.mp4')], 5, /x\.mp4 is named twice/);
    refused(['rtsp://127.0.0.1:1/x', at('link/x.mp4'), '--also', at('linked/x.mp4')], 5, /is named twice/);
    refused([clip, 'udp://127.0.0.1:59999', '--also', 'udp://127.0.0.1:59999'], 5, /is named twice/);
    refused([clip, at('x.mp4'), '--also', at('y.mp4')], 2, /--also adds outputs to a live stream/);
  });

  it('refuses a name that leaves no room for the temporary one', () => {
    refused([clip, at(`${'n'.repeat(240)}.mp4`)], 5, /the name of the output .* is too long; shorten it/);
  });

  it('refuses a codec that the container cannot carry, and a quality that the codec does not have', () => {
    refused([clip, at('x.webm'), '--codec', 'h264'], 5, /x\.webm cannot carry h264; choose --codec vp9, or another/);
    refused([clip, at('x.mov'), '--codec', 'vp9'], 5, /x\.mov cannot carry vp9; choose --codec h264 or h265/);
    refused(['rtsp://127.0.0.1:1/x', at('x.webm'), '--codec', 'h265'], 5, /cannot carry h265/);
    refused([clip, at('x.mp4'), '--crf', '60'], 2, /out of range; give --crf 0 to 51 for h264/);
  });

  it('refuses an address without a port, and an input that can be read only once', () => {
    refused([clip, 'udp://127.0.0.1'], 5, /udp:\/\/127\.0\.0\.1 has no port; use .*udp:\/\/host:5000/);
    execFileSync('mkfifo', [at('pipe')]);
    // Somebody who writes: to open it would else wait.
    const writer = spawn('sh', ['-c', `cat ${clip} > ${at('pipe')}`], { stdio: 'ignore' });
    refused([at('pipe'), at('x.mp4')], 4, /is a pipe or a device, .*; write it to a file first/);
    writer.kill();
  });
});

describe('demo', () => {
  it('refuses lengths and folders that cannot be', () => {
    for (const length of ['abc', '-3', '0', '']) {
      const { code, stderr } = understudy(['demo', '--out', at('demo'), '--seconds', length]);
      expect([code, stderr.split('\n').length], stderr).toEqual([2, 2]);
    }
    const { code, stderr } = understudy(['demo', '--out', clip]);
    expect(stderr).toMatch(/clip\.mp4 cannot be made .*; give --out the name of a folder/);
    expect(code).toBe(5);
    mkdirSync(at('full/demo-original.mp4'), { recursive: true });
    const taken = understudy(['demo', '--out', at('full')]);
    expect(taken.stderr).toMatch(/^understudy: the output .*demo-original\.mp4 is a folder; name a file in it\n$/);
    expect(taken.code).toBe(5);
  });
});

describe('doctor', () => {
  it('looks where the environment says', () => {
    const env = { UNDERSTUDY_FFMPEG__PATH: '/nowhere/ffmpeg', UNDERSTUDY_MODELS__DIR: '/nowhere' };
    const { code, stdout } = understudy(['doctor'], env);
    expect(stdout).toMatch(/MISSING ffmpeg: .*\/nowhere\/ffmpeg/);
    expect(stdout).toMatch(/MISSING list of models: .*\/nowhere/);
    expect(code).toBe(8);
  });

  it('misses ffprobe, without which no recording can be read', () => {
    mkdirSync(at('bin'));
    symlinkSync(execFileSync('sh', ['-c', 'command -v ffmpeg'], { encoding: 'utf8' }).trim(), at('bin/ffmpeg'));
    const { code, stdout } = understudy(['doctor'], { FFMPEG_PATH: at('bin/ffmpeg') });
    expect(stdout).toMatch(/MISSING ffmpeg: .*without ffprobe.*; install the ffmpeg package/);
    expect(code).toBe(8);
  });
});
