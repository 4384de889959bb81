import { existsSync, readdirSync, readFileSync, statSync, truncateSync } from 'node:fs';
import { beforeAll, describe, expect, it, vi } from 'vitest';
import { anonymizeSet } from '../../src/cli/anonymize-set.ts';
import { ProgressLine } from '../../src/cli/progress.ts';
import { type Config, loadConfig } from '../../src/config/loader.ts';
import { AuditRecord } from '../../src/guard/audit-record.ts';
import { ModelStore } from '../../src/infer/model-store.ts';
import type { StreamResult } from '../../src/pipeline/stream-options.ts';
import { spoiltModels } from '../live/fault-run.ts';
import { makeClip } from '../support/clips.ts';
import { ffmpeg, pixels, scratch, understudy } from '../support/command.ts';

const { at } = scratch('grey');

/** A detector that throws at every picture. */
function blind(): string[] {
  const { dir, cacheDir } = spoiltModels('face-detector', (bytes) => {
    for (let i = bytes.indexOf('scores'); i >= 0; i = bytes.indexOf('scores', i)) bytes.write('nothng', i);
    return bytes;
  });
  return ['--set', `models.dir=${dir}`, '--set', `models.cacheDir=${cacheDir}`];
}

beforeAll(() => {
  ffmpeg('-i', ModelStore.open().verify('demo-photo-5'), '-vf', 'scale=480:-2', at('photo.jpg'));
  makeClip(at('clip.mp4'), 0.4);
});

describe('an output of which the program could look at nothing', { timeout: 60_000 }, () => {
  it.each([
    ['photo.jpg', 'photo-out.jpg', 1],
    ['clip.mp4', 'clip-out.mp4', 10],
  ])('is grey, and said to be: %s', (input, output, frames) => {
    const args = ['run', at(input), at(output), '--mode', 'mask', '--report', at('report.json'), ...blind()];
    const { code, stderr } = understudy(args);
    expect(stderr).toContain(`${frames} of ${frames} pictures of ${at(output)} are grey: they could not be looked at`);
    expect(stderr).toMatch(/all of .* is grey: nothing could be looked at or drawn; run it once more/);
    expect(code).toBe(8);
    expect(existsSync(at(output))).toBe(true);
    const luma = pixels(at(output), 'gray');
    expect(luma.every((y) => Math.abs(y - luma[0]!) < 4)).toBe(true);
    expect(JSON.parse(readFileSync(at('report.json'), 'utf8')).totals.veiledBy).toEqual({ 'analysis-failed': frames });
  });
});

const settings = (config: Config) => ({
  config: { ...config, sessionKey: '01'.repeat(16) },
  ...{ track: {}, timed: false, streamOf: () => 0 },
});

describe('an evaluation', { timeout: 60_000 }, () => {
  it('leaves out what came out grey, and keeps nothing of it: nobody has anonymized that', async () => {
    const config = loadConfig({ sets: ['mode=mask', ...blind().filter((arg) => arg !== '--set')], env: {} });
    const files = [{ name: 'photo', path: at('photo.jpg'), kind: 'picture' as const }];
    const measured: string[] = [];
    const { leftOut } = await anonymizeSet(settings(config), files, at('set'), ({ name }) => measured.push(name));
    expect(leftOut).toMatchObject([{ name: 'photo', reason: expect.stringContaining('is grey') }]);
    expect(measured).toEqual([]);
    expect(readdirSync(at('set'))).toEqual([]);
  });

  it('keeps no part of a recording that breaks off', async () => {
    makeClip(at('long.mp4'), 1);
    ffmpeg('-i', at('long.mp4'), '-c', 'copy', at('cut.mkv'));
    truncateSync(at('cut.mkv'), Math.floor(0.7 * statSync(at('cut.mkv')).size));
    const files = [{ name: 'cut', path: at('cut.mkv'), kind: 'video' as const }];
    const config = loadConfig({ sets: ['mode=mask'], env: {} });
    const { leftOut } = await anonymizeSet(settings(config), files, at('parts'), () => {});
    expect(leftOut).toMatchObject([{ name: 'cut', reason: expect.stringContaining('ends early') }]);
    expect(readdirSync(at('parts'))).toEqual([]);
  });
});

describe('the last line of progress', () => {
  it('says that all is done only where all was read', () => {
    const lines: string[] = [];
    const spy = vi.spyOn(process.stderr, 'write').mockImplementation((text) => lines.push(String(text)) > 0);
    const audit = new AuditRecord();
    for (let i = 0; i < 25; i++) audit.frame(i, 'composed', []);
    try {
      for (const early of [false, true]) {
        const line = new ProgressLine('json');
        line.start(100);
        line.end({ audit, early } as unknown as StreamResult);
      }
    } finally {
      spy.mockRestore();
    }
    expect(lines.map((line) => JSON.parse(line).percent)).toEqual([100, 25]);
  });
});
