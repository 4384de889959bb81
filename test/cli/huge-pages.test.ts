import { spawn } from 'node:child_process';
import { mkdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { ModelStore } from '../../src/infer/model-store.ts';
import { eventually } from '../live/support.ts';
import { ffmpeg, scratch } from '../support/command.ts';

const { at } = scratch('huge-pages');
const fieldOf = (pid: number, file: string) => readFileSync(`/proc/${pid}/${file}`, 'utf8');
/** A process that has ended and was not waited for by its new parent yet counts as ended. */
const runs = (pid: number) => {
  try {
    return !/\) Z /.test(fieldOf(pid, 'stat'));
  } catch {
    return false;
  }
};

describe.skipIf(process.platform !== 'linux')('evaluate, started again with large pages', { timeout: 60_000 }, () => {
  const start = async () => {
    mkdirSync(at('pictures'), { recursive: true });
    for (const n of [1, 2, 3, 4])
      ffmpeg('-i', ModelStore.open().verify('demo-photo-5'), '-vf', 'scale=480:-2', at(`pictures/${n}.jpg`));
    const { GLIBC_TUNABLES: _, ...env } = process.env;
    const args = ['dist/main.js', 'evaluate', '--originals', at('pictures'), '--method', 'mask', '--progress', 'none'];
    const outer = spawn(process.execPath, args, { env, stdio: 'ignore' });
    const ended = new Promise<number | null>((resolve) => outer.once('exit', resolve));
    let inner = 0;
    const found = () => {
      inner = Number(fieldOf(outer.pid!, `task/${outer.pid}/children`).trim().split(' ')[0] ?? 0);
      return inner > 0 && fieldOf(inner, 'environ').includes('GLIBC_TUNABLES=glibc.malloc.hugetlb=1');
    };
    await eventually(async () => found(), 20_000, 'the second process');
    return { outer, inner, ended };
  };

  it('ends as a whole when it is told to', async () => {
    const { outer, inner, ended } = await start();
    outer.kill('SIGTERM');
    expect(await ended).toBe(143);
    expect(runs(inner)).toBe(false);
  });

  it('leaves nothing at work when it is killed', async () => {
    const { outer, inner } = await start();
    // Later than its first steps: it listens for the end of the channel from then on.
    await eventually(async () => fieldOf(inner, 'maps').includes('onnxruntime'), 20_000, 'the judges');
    outer.kill('SIGKILL');
    await eventually(async () => !runs(inner), 20_000, 'the end of the second process');
  });
});
