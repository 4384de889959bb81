import { existsSync, readFileSync } from 'node:fs';
import { beforeAll, describe, expect, it, vi } from 'vitest';
import { ProgressLine } from '../../src/cli/progress.ts';
import { AuditRecord } from '../../src/guard/audit-record.ts';
import { ModelStore } from '../../src/infer/model-store.ts';
import type { StreamResult } from '../../src/pipeline/stream.ts';
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
