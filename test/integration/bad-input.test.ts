import { execFileSync, spawnSync } from 'node:child_process';
import {
  appendFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { makeDemoClip } from '../../src/cli/demo-clip.ts';

const folder = mkdtempSync(join(tmpdir(), 'understudy-bad-'));
const at = (name: string) => join(folder, name);

/** A folder of models in which one file was changed. */
function changedModels(file: string): string {
  const dir = at(`models-${file.replaceAll('/', '-')}`);
  cpSync('models', dir, { recursive: true });
  appendFileSync(join(dir, file), 'x');
  return dir;
}

/** A PATH with nothing on it but these programs. */
function pathWith(...programs: string[]): string {
  const dir = at(`bin-${programs.join('-')}`);
  mkdirSync(dir, { recursive: true });
  for (const program of programs) {
    const found = execFileSync('sh', ['-c', `command -v ${program}`], { encoding: 'utf8' }).trim();
    if (!existsSync(join(dir, program))) symlinkSync(found, join(dir, program));
  }
  return dir;
}

beforeAll(async () => {
  await makeDemoClip({ out: at('clip.mp4'), seconds: 0.5 });
  writeFileSync(at('typo.yaml'), 'egress:\n  codek: h264\n');
  writeFileSync(at('broken.yaml'), 'egress: [\n');
}, 60_000);

interface Case {
  readonly what: string;
  readonly args: readonly string[] | (() => readonly string[]);
  readonly code: number;
  readonly says: RegExp;
  readonly env?: () => Record<string, string>;
}

const out = at('out.mp4');
const run = (...more: string[]) => ['run', at('clip.mp4'), out, '--progress', 'none', ...more];

const cases: readonly Case[] = [
  { what: 'a key that does not exist', args: run('--set', 'egress.codek=h264'), code: 2, says: /codek.*codec/ },
  { what: 'such a key in a file', args: run('--config', at('typo.yaml')), code: 2, says: /codek.*codec/ },
  {
    what: 'a file of settings that is no YAML',
    args: run('--config', at('broken.yaml')),
    code: 2,
    says: /broken\.yaml/,
  },
  { what: 'a file of settings that is missing', args: run('--config', at('none.yaml')), code: 2, says: /none\.yaml/ },
  { what: 'a value of the wrong type', args: run('--set', 'egress.crf=good'), code: 2, says: /egress\.crf/ },
  { what: 'a value out of range', args: run('--set', 'track.lookaheadFrames=-1'), code: 2, says: /lookaheadFrames/ },
  {
    what: 'a light so narrow that it gives the person back',
    args: run('--set', 'post.sigmaInterocular=0.1'),
    code: 2,
    says: /sigmaInterocular/,
  },
  { what: 'an option that does not exist', args: run('--speed'), code: 2, says: /--speed/ },
  { what: 'a length that is no number', args: run('--duration', 'long'), code: 2, says: /--duration/ },
  { what: 'no length at all', args: run('--duration', '0'), code: 2, says: /--duration is 0/ },
  { what: 'an empty length', args: run('--duration', ''), code: 2, says: /--duration is not a number/ },
  { what: 'an empty beginning', args: run('--start', ''), code: 2, says: /--start is not a number/ },
  {
    what: 'a value that is no YAML',
    args: run('--set', 'infer.executionProviders=[1'),
    code: 2,
    says: /infer\.executionProviders is not YAML/,
  },
  {
    what: 'an option before the names of the files, which it leaves alone',
    args: ['run', '--set', 'mode=mask', '--set', 'egress.codek=h264', at('clip.mp4'), out],
    code: 2,
    says: /codek.*codec/,
  },
  { what: 'a container that is not known', args: ['run', at('clip.mp4'), at('out.xyz')], code: 5, says: /xyz/ },
  { what: 'a folder of models that is missing', args: run('--set', 'models.dir=/nowhere'), code: 6, says: /nowhere/ },
  {
    what: 'a generator that was changed',
    args: () => run('--set', `models.dir=${changedModels('generator/understudy-128-int8.onnx')}`),
    code: 6,
    says: /generator-128-int8.*SHA-256/,
  },
  {
    what: 'a shape model that was changed',
    args: () => run('--set', `models.dir=${changedModels('shape/shape-68.json')}`),
    code: 6,
    says: /shape-68.*SHA-256/,
  },
  {
    what: 'no X display and no Xvfb',
    args: run(),
    code: 7,
    says: /Xvfb.*apt-get install xvfb/s,
    env: () => ({ PATH: pathWith('sh', 'ffmpeg', 'ffprobe'), DISPLAY: '' }),
  },
  {
    what: 'an ffmpeg that is not where the settings say',
    args: run('--set', 'ffmpeg.path=/nowhere/ffmpeg'),
    code: 8,
    says: /\/nowhere\/ffmpeg/,
  },
];

describe('bad input', () => {
  for (const { what, args, code, says, env } of cases) {
    it(`${what}: one sentence, exit code ${code}, and nothing written`, { timeout: 60_000 }, () => {
      const list = typeof args === 'function' ? args() : args;
      const result = spawnSync(process.execPath, ['dist/main.js', ...list], {
        encoding: 'utf8',
        env: { ...process.env, ...env?.() },
      });
      expect(result.stderr).toMatch(says);
      expect(result.status, result.stderr).toBe(code);
      expect(result.stderr).not.toMatch(/\n\s+at /);
      expect(existsSync(out)).toBe(false);
    });
  }

  it('documents every exit code of the program in the README', () => {
    const codes = [...readFileSync('src/core/errors.ts', 'utf8').matchAll(/^ {2}\w+: (\d+)/gm)].map((m) => m[1]);
    expect(codes.length).toBeGreaterThan(8);
    for (const code of codes) expect(readFileSync('README.md', 'utf8')).toMatch(new RegExp(`^\\| ${code} \\|`, 'm'));
  });
});
