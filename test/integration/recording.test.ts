import { execFileSync, spawnSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { makeDemoClip } from '../../src/cli/demo-clip.ts';

const folder = mkdtempSync(join(tmpdir(), 'understudy-run-'));
const at = (name: string) => join(folder, name);
const ffmpeg = (...args: string[]) => execFileSync('ffmpeg', ['-v', 'error', '-y', ...args]);
const understudy = (...args: string[]) => {
  const done = spawnSync(process.execPath, ['dist/main.js', ...args], { encoding: 'utf8' });
  return { code: done.status, stderr: done.stderr };
};
const timestamps = (path: string) =>
  execFileSync(
    'ffprobe',
    ['-v', 'error', '-select_streams', 'v:0', '-show_entries', 'packet=pts_time', '-of', 'csv=p=0', path],
    { encoding: 'utf8' },
  )
    .split('\n')
    .filter(Boolean)
    .map((t) => Number.parseFloat(t))
    .sort((a, b) => a - b);

beforeAll(async () => {
  await makeDemoClip({ out: at('clip.mp4'), seconds: 1 });
  ffmpeg(
    '-i',
    at('clip.mp4'),
    '-f',
    'lavfi',
    '-i',
    'sine=duration=1',
    '-c:v',
    'copy',
    '-c:a',
    'aac',
    '-metadata',
    'title=secret',
    '-metadata',
    'location=+52.5+013.4/',
    at('sound.mp4'),
  );
});

describe('understudy run', () => {
  it('covers the three people in every frame, keeps the time stamps and the sound, strips the tags', () => {
    const { code, stderr } = understudy('run', at('sound.mp4'), at('out.mp4'), '--report', at('out.json'));
    expect(stderr).toBe('');
    expect(code).toBe(0);
    const report = JSON.parse(readFileSync(at('out.json'), 'utf8'));
    expect(report.totals).toMatchObject({ frames: 30, framesWithoutFace: 0, veiledFrames: 0 });
    const long = report.faceTracks.filter((t: { generated: number }) => t.generated > 20);
    expect(long.length).toBeGreaterThanOrEqual(3);
    const [before, after] = [timestamps(at('sound.mp4')), timestamps(at('out.mp4'))];
    expect(after.length).toBe(before.length);
    for (const [i, t] of after.entries()) expect(Math.abs(t - before[i]!)).toBeLessThan(0.001);
    const probe = execFileSync('ffprobe', ['-v', 'error', '-show_format', '-show_streams', at('out.mp4')], {
      encoding: 'utf8',
    });
    expect(probe).toContain('codec_name=aac');
    expect(probe).not.toMatch(/secret|13\.4/);
    expect(readdirSync(folder).filter((f) => f.includes('.part-'))).toEqual([]);
  });

  it('keeps variable frame times', () => {
    ffmpeg(
      '-i',
      at('clip.mp4'),
      '-vf',
      "select='not(mod(n,2))+not(mod(n,5))'",
      '-vsync',
      '0',
      '-c:v',
      'libx264',
      at('vfr.mp4'),
    );
    expect(understudy('run', at('vfr.mp4'), at('vfr-out.mp4'), '--mode', 'blur').code).toBe(0);
    const [before, after] = [timestamps(at('vfr.mp4')), timestamps(at('vfr-out.mp4'))];
    expect(after.length).toBe(before.length);
    for (const [i, t] of after.entries()) expect(Math.abs(t - before[i]!)).toBeLessThan(0.001);
  });

  it('never shows an attached cover picture', () => {
    ffmpeg('-i', at('clip.mp4'), '-frames:v', '1', at('cover.png'));
    ffmpeg(
      '-i',
      at('clip.mp4'),
      '-i',
      at('cover.png'),
      '-map',
      '0',
      '-map',
      '1',
      '-c',
      'copy',
      '-disposition:v:1',
      'attached_pic',
      at('covered.mp4'),
    );
    expect(understudy('run', at('covered.mp4'), at('covered-out.mp4'), '--mode', 'pixelate').code).toBe(0);
    const streams = execFileSync(
      'ffprobe',
      ['-v', 'error', '-show_entries', 'stream=codec_type', '-of', 'csv=p=0', at('covered-out.mp4')],
      { encoding: 'utf8' },
    );
    expect(streams.trim().split('\n')).toEqual(['video']);
  });

  it('exits with 3 when there is no face, unless that is allowed', () => {
    ffmpeg('-f', 'lavfi', '-i', 'color=gray:s=320x240:d=0.3', at('empty.mp4'));
    const { code, stderr } = understudy('run', at('empty.mp4'), at('empty-out.mp4'));
    expect(code).toBe(3);
    expect(stderr).toContain('no face was found');
    expect(understudy('run', at('empty.mp4'), at('empty-out.mp4'), '--allow-no-face').code).toBe(0);
  });
});

describe('bad input', () => {
  const refused = (args: string[], code: number, words: RegExp) => {
    const result = understudy('run', ...args);
    expect(result.stderr).toMatch(words);
    expect(result.stderr.trim().split('\n').length).toBe(1);
    expect(result.code).toBe(code);
  };

  it('names what is wrong with the input', () => {
    writeFileSync(at('zero.mp4'), '');
    writeFileSync(at('text.mp4'), 'this is no video');
    ffmpeg('-f', 'lavfi', '-i', 'sine=duration=0.2', at('sound-only.m4a'));
    refused([at('none.mp4'), at('x.mp4')], 4, /none\.mp4 does not exist/);
    refused([folder, at('x.mp4')], 4, /is a folder/);
    refused([at('zero.mp4'), at('x.mp4')], 4, /is empty/);
    refused([at('text.mp4'), at('x.mp4')], 4, /is not a video/);
    refused([at('sound-only.m4a'), at('x.mp4')], 4, /only sound/);
    expect(existsSync(at('x.mp4'))).toBe(false);
  });

  it('names what is wrong with the output', () => {
    mkdirSync(at('folder.mp4'), { recursive: true });
    refused([at('clip.mp4'), at('nowhere/x.mp4')], 5, /nowhere does not exist/);
    refused([at('clip.mp4'), at('clip.mp4')], 5, /is the input/);
    refused([at('clip.mp4'), at('folder.mp4')], 5, /is a folder/);
    refused([at('clip.mp4'), at('x.avi')], 5, /no container is known/);
    refused([at('clip.mp4'), at('x.mp4'), '--codec', 'divx'], 2, /egress\.codec/);
    refused([at('clip.mp4'), at('x.mp4'), '--set', 'egress.crff=3'], 2, /no setting egress\.crff/);
    refused([at('clip.mp4'), at('x.mp4'), '--set', 'models.cacheDir=/nowhere'], 6, /is missing/);
  });

  it('keeps what came before a file breaks off', () => {
    ffmpeg('-i', at('clip.mp4'), '-c', 'copy', at('whole.mkv'));
    truncateSync(at('whole.mkv'), Math.floor(statSync(at('whole.mkv')).size * 0.9));
    const { code } = understudy('run', at('whole.mkv'), at('broken-out.mp4'), '--mode', 'mask');
    expect([0, 4]).toContain(code);
    expect(timestamps(at('broken-out.mp4')).length).toBeGreaterThan(5);
  });
});
