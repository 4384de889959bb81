import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { FaceObserver } from '../../src/evaluate/observer.ts';
import { ModelStore } from '../../src/infer/model-store.ts';
import { understudy } from '../support/command.ts';
import { filter, peopleFolder } from '../support/people.ts';

interface Row {
  readonly parts: string;
  readonly n: number;
  readonly scores?: Record<string, { value: number }>;
  readonly leftOut: { name: string; reason: string }[];
}

interface Result {
  readonly machine: string;
  readonly method: string;
  readonly n: number;
  readonly ablation: Row[];
  readonly leftOut: { name: string }[];
  readonly absent: string[];
}

/** What HTML would take for its own. */
const NAME = 'a&b <i>';
let people: string;

beforeAll(async () => {
  const observer = await FaceObserver.create(ModelStore.open(), { recognizers: [], absent: [] });
  ({ folder: people } = await peopleFolder(observer, 1));
}, 60_000);

describe('understudy evaluate --ablation', { timeout: 400_000 }, () => {
  it('says of every row what it rests on, in JSON and in one HTML file, and ends with 3 where that is too little', () => {
    const folder = mkdtempSync(join(tmpdir(), 'understudy-ablation-'));
    const [originals, json, html] = ['originals', 'ablation.json', 'ablation.html'].map((n) => join(folder, n)) as [
      string,
      string,
      string,
    ];
    mkdirSync(originals);
    copyFileSync(join(people, 'person00.png'), join(originals, `${NAME}.png`));
    writeFileSync(join(originals, 'broken.jpg'), 'no picture');
    filter(join(people, 'person00.png'), join(originals, 'empty.png'), 'lutrgb=r=90:g=90:b=90');
    const evaluate = () =>
      understudy([
        ...['evaluate', '--originals', originals, '--method', 'generate', '--ablation', '--progress', 'none'],
        ...['--work', join(folder, 'work'), '--json', json, '--html', html],
      ]);

    const run = evaluate();
    expect(run.stderr).toMatch(/full: only 1 of 3 files could be compared/);
    expect(run.code).toBe(3);
    const result = JSON.parse(readFileSync(json, 'utf8')) as Result;
    expect(result).toMatchObject({ method: 'ablation', n: 1, machine: expect.stringMatching(/\d+ × /) });
    const ran = result.ablation.filter((row) => row.scores);
    expect(ran.length).toBe(10);
    for (const row of result.ablation) expect(row.n, row.parts).toBe(row.scores ? 1 : 0);
    const full = ran.find((row) => row.parts === 'full')!;
    expect(full.leftOut.map((l) => l.name).sort()).toEqual(['broken', 'empty']);
    expect(full.scores!.siMse!.value).toBeGreaterThan(0);
    expect(result.leftOut.map((l) => l.name)).toContain('full: broken');
    expect(run.stdout).toContain('full, no sharpness: broken: ');

    const page = readFileSync(html, 'utf8');
    expect(page).not.toMatch(/(src|href)="(?!data:)/);
    expect(page).not.toContain('<i>');
    expect(page).toContain('a&amp;b &lt;i&gt;');
    expect(page.match(/<table>/g)).toHaveLength(2);
    expect(page).toMatch(/<td>full, no colour transfer<\/td>/);
    expect(page.match(/class="sheet"/g)).toHaveLength(10);

    // Nothing is left to make, and nothing that could not be compared.
    for (const name of ['broken.jpg', 'empty.png']) rmSync(join(originals, name));
    const again = evaluate();
    expect(again.stderr).toBe('');
    expect(again.code).toBe(0);
    const rest = JSON.parse(readFileSync(json, 'utf8')) as Result;
    expect(rest.leftOut).toEqual([]);
    expect(rest.ablation.find((row) => row.parts === 'full')!.scores).toEqual(full.scores);
  });
});
