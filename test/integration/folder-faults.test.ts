import { copyFileSync, existsSync, mkdirSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { ProgressLine } from '../../src/cli/progress.ts';
import { runFolder } from '../../src/cli/run-folder.ts';
import { loadConfig } from '../../src/config/loader.ts';
import { ExitCode } from '../../src/core/errors.ts';
import { ModelStore } from '../../src/infer/model-store.ts';
import type { StreamResult } from '../../src/pipeline/stream-options.ts';
import { EngineUnderTest } from '../live/fault-run.ts';
import { ffmpeg, scratch } from '../support/command.ts';

const { at } = scratch('folder-faults');
let under: EngineUnderTest;

beforeAll(async () => {
  for (const folder of ['in', 'one']) mkdirSync(at(folder));
  ffmpeg('-i', ModelStore.open().verify('demo-photo-1'), '-vf', 'scale=480:-2', at('in/a.jpg'));
  for (const name of ['b', 'c', 'd']) copyFileSync(at('in/a.jpg'), at(`in/${name}.jpg`));
  copyFileSync(at('in/a.jpg'), at('one/a.jpg'));
  // Live, a picture that a busy machine takes two seconds for would be given up.
  under = await EngineUnderTest.start({}, undefined, 1, false);
}, 120_000);
afterAll(() => under?.close());

/** Keeps count of the pictures that came out veiled. */
class Watched extends ProgressLine {
  readonly ended: StreamResult[] = [];

  constructor() {
    super('none');
  }

  override ofFile(): ProgressLine {
    return this;
  }

  override end(result: StreamResult): void {
    this.ended.push(result);
  }

  get veiled(): number {
    return this.ended.filter(({ audit }) => audit.totals.veiledFrames > 0).length;
  }
}

/** Pictures of a folder while the analysis is killed again and again, until `enough` says so. */
async function whileKilled(input: string, output: string, enough: (progress: Watched) => boolean) {
  const progress = new Watched();
  const said: string[] = [];
  const spy = vi.spyOn(process.stderr, 'write').mockImplementation((text) => said.push(String(text)) > 0);
  let over = false;
  const run = runFolder({
    input: at(input),
    output: at(output),
    config: loadConfig({ sets: [], env: {} }),
    engine: async () => under.engine,
    again: false,
    allowNoFace: false,
    stop: new AbortController().signal,
    progress,
    report: true,
  }).finally(() => {
    over = true;
    spy.mockRestore();
  });
  while (!over && !enough(progress)) {
    await under.replace('analysis', (worker) => worker.postMessage(null));
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  return { ...(await run), progress, said: said.join('') };
}

describe('a folder while something ends the analysis', { timeout: 180_000 }, () => {
  it('does the pictures again, alone, that were veiled because another one was with the worker that died', async () => {
    const { exitCode, files, progress } = await whileKilled('in', 'out', ({ veiled }) => veiled > 0);
    expect(progress.veiled).toBeGreaterThan(0);
    expect(exitCode).toBe(ExitCode.ok);
    expect(files).toHaveLength(4);
    for (const file of files as { totals: object }[])
      expect(file.totals).toMatchObject({ veiledFrames: 0, faces: expect.toSatisfy((n: number) => n >= 3) });
    expect(progress.ended).toHaveLength(4 + progress.veiled);
  });

  it('names a picture that stays grey, and does it in the next run', async () => {
    const { exitCode, files, said } = await whileKilled('one', 'grey', () => false);
    expect(exitCode).toBe(ExitCode.tool);
    expect(files).toMatchObject([{ failure: expect.any(String) }]);
    expect(said).toContain('a.jpg could not be looked at or drawn, twice');
    expect(existsSync(at('grey/a.jpg'))).toBe(true);
    const next = await whileKilled('one', 'grey', () => true);
    expect(next.exitCode).toBe(ExitCode.ok);
    expect(next.skipped).toHaveLength(0);
    expect(next.progress.veiled).toBe(0);
  });
});
