import {
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { judgesMark } from '../../src/evaluate/judges-mark.ts';
import { FaceObserver } from '../../src/evaluate/observer.ts';
import { recordKey } from '../../src/evaluate/record-store.ts';
import { ModelStore } from '../../src/infer/model-store.ts';
import { makeClip } from '../support/clips.ts';
import { understudy } from '../support/command.ts';
import { filter, peopleFolder } from '../support/people.ts';

interface Result {
  readonly n: number;
  readonly attacks: Record<string, { value: number; n: number }>;
  readonly leftOut: { name: string; reason: string }[];
  readonly perFaceTrack: unknown[];
}

let people: string;

beforeAll(async () => {
  const observer = await FaceObserver.create(ModelStore.open(), { recognizers: [], absent: [] });
  ({ folder: people } = await peopleFolder(observer, 3));
}, 60_000);

/** Fresh folders, and the command on them. */
function bench() {
  const folder = mkdtempSync(join(tmpdir(), 'understudy-resumed-'));
  const [originals, work, json] = ['originals', 'work', 'result.json'].map((n) => join(folder, n)) as [
    string,
    string,
    string,
  ];
  mkdirSync(originals);
  const add = (person: number, name: string) =>
    copyFileSync(join(people, `person0${person}.png`), join(originals, name));
  const evaluate = (...args: string[]) =>
    understudy(['evaluate', '--originals', originals, '--json', json, '--progress', 'none', ...args]);
  const lines = (file: string) => readFileSync(join(work, file), 'utf8').trim().split('\n');
  return { originals, work, add, evaluate, lines, result: () => JSON.parse(readFileSync(json, 'utf8')) as Result };
}

describe('an evaluation that goes on in its work folder', { timeout: 240_000 }, () => {
  it('keeps its key and what it has measured, lists what further keys lack, and refuses another key', () => {
    const { work, add, evaluate, lines, result } = bench();
    const args = ['--method', 'generate', '--attack', '--keys', '2', '--work', work];
    add(0, 'b.png');
    const first = evaluate(...args);
    expect(first.stderr).toBe('');
    expect(first.code).toBe(0);
    const key = readFileSync(join(work, '.session-key'), 'utf8');
    expect(statSync(join(work, '.session-key')).mode & 0o777).toBe(0o600);
    const made = readFileSync(join(work, 'anonymized', 'b.jpg'));
    for (const folder of ['anonymized', 'anonymized-key2'])
      expect(readFileSync(join(work, folder, '.settings.json'), 'utf8')).not.toContain(key.trim());

    // One more, which comes before the first by name, and the first one made again.
    add(1, 'a.png');
    rmSync(join(work, 'anonymized', 'b.jpg'));
    expect(evaluate(...args).code).toBe(0);
    expect(result().n).toBe(2);
    expect(readFileSync(join(work, '.session-key'), 'utf8')).toBe(key);
    expect(readFileSync(join(work, 'anonymized', 'b.jpg')).equals(made)).toBe(true);
    expect(lines('records-key2.jsonl')).toHaveLength(2);
    const { attacks } = result();

    const other = evaluate(...args, '--set', `sessionKey=${'ab'.repeat(32)}`);
    expect(other.stderr).toMatch(/made with other settings, another key/);
    expect(other.code).toBe(2);
    // The same key, configured: nothing is left to do, and nothing is measured again.
    const before = lines('records.jsonl').length;
    expect(evaluate(...args, '--set', `sessionKey=${key.trim()}`).code).toBe(0);
    expect([lines('records.jsonl').length, lines('records-key2.jsonl').length]).toEqual([before, 2]);
    expect(result().attacks).toEqual(attacks);

    writeFileSync(join(work, 'anonymized-key2', 'b.jpg'), 'no picture');
    expect(evaluate(...args).code).toBe(0);
    const names = result().leftOut.map((l) => l.name);
    expect(names).toEqual(['key 2: b', 'mean of the keys: b']);
  });

  it('takes all faces of a picture into the mean of its outputs', () => {
    const { originals, evaluate, result } = bench();
    filter(ModelStore.open().verify('demo-photo-5'), join(originals, 'group.png'), 'scale=900:-2');
    const run = evaluate('--method', 'mask', '--attack', '--keys', '2');
    expect(run.code).toBe(0);
    const { n, attacks, leftOut } = result();
    expect(leftOut).toEqual([]);
    expect(n).toBeGreaterThan(2);
    for (const judge of ['A', 'B', 'C']) expect(attacks[`pixelMeanOf2Keys${judge}`]!.n).toBe(n);
    expect(run.stdout).toMatch(new RegExp(`pixelMeanOf2KeysA .* chance 0\\.\\d+ {2}n ${n}`));
  });

  it('lists what the gallery lacks, and whom, and searches for nobody else', () => {
    const { originals, add, evaluate, result } = bench();
    const outputs = mkdtempSync(join(tmpdir(), 'understudy-resumed-outputs-'));
    writeFileSync(join(originals, 'info.csv'), 'id,gender\n0,x\n1,x\n');
    add(0, '0_after.png');
    for (const person of [0, 1]) {
      add(person, `${person}_before.png`);
      filter(join(people, `person0${person}.png`), join(outputs, `${person}_before.png`), 'hflip');
    }
    writeFileSync(join(originals, '2_after.jpg'), 'no picture');
    const run = evaluate('--anonymized', outputs, '--match', '_before', '--gallery', '_after', '--attack');
    expect(run.code).toBe(0);
    expect(result().leftOut.map((l) => l.name)).toEqual(['gallery: 2_after', 'gallery: 1_before']);
    // Two people are needed, and the very pictures that were anonymized are not the ones to search in.
    expect(result().attacks).toEqual({});
  });

  it('takes a name that ends like that of a further face for what it is, and lists outputs of another kind', () => {
    const { work, add, evaluate, lines, result } = bench();
    for (const person of [0, 1, 2]) add(person, `x#${person + 1}.png`);
    const run = evaluate('--method', 'mask', '--attack', '--keys', '2', '--work', work);
    expect(run.stderr).toBe('');
    expect(run.code).toBe(0);
    expect(lines('records-key2.jsonl').map((l) => JSON.parse(l).records.length)).toEqual([1, 1, 1]);
    expect(result().attacks.parrotA!.n).toBe(3);
    writeFileSync(join(work, 'anonymized', 'clip.mp4'), '');
    expect(evaluate('--anonymized', join(work, 'anonymized')).code).toBe(0);
    expect(result().leftOut).toEqual([{ name: 'clip', reason: 'no original of this name' }]);
  });

  it('does not look at a recording again, unless it is to be looked at in another way', () => {
    const { originals, work, evaluate, lines, result } = bench();
    makeClip(join(originals, 'clip.mp4'), 0.6);
    const args = ['--method', 'mask', '--work', work, '--every', '5'];
    expect(evaluate(...args).code).toBe(0);
    const { perFaceTrack, leftOut } = result();
    expect(perFaceTrack.length).toBeGreaterThan(0);
    expect(evaluate(...args).code).toBe(0);
    expect(lines('records-videos.jsonl')).toHaveLength(1);
    expect(result()).toMatchObject({ perFaceTrack, leftOut });
    expect(evaluate(...args, '--every', '4').code).toBe(0);
    expect(lines('records-videos.jsonl')).toHaveLength(2);
    expect(readdirSync(join(work, 'anonymized-videos')).filter((n) => n.endsWith('.mp4'))).toEqual(['clip.mp4']);
  });
});

describe('what a measurement rests on', () => {
  it('changes with the judges, how they were asked, and the files', () => {
    const manifest = readFileSync('models/manifest.json', 'utf8');
    const storeWith = (text: string) => {
      const dir = mkdtempSync(join(tmpdir(), 'understudy-manifest-'));
      writeFileSync(join(dir, 'manifest.json'), text);
      return ModelStore.open({ dir });
    };
    const mark = judgesMark(ModelStore.open());
    const { models } = JSON.parse(manifest) as { models: { name: string; sha256: string }[] };
    expect(judgesMark(storeWith(manifest))).toBe(mark);
    for (const name of ['judge-mobilefacenet', 'face-landmarks']) {
      const other = models.map((m) => (m.name === name ? { ...m, sha256: '0'.repeat(64) } : m));
      expect(judgesMark(storeWith(JSON.stringify({ models: other }))), name).not.toBe(mark);
    }
    const [one, two] = ['person00.png', 'person01.png'].map((name) => ({ path: join(people, name) }));
    const keys = [
      recordKey('a', [mark, { lookEvery: 5 }], [one!]),
      recordKey('a', [mark, { lookEvery: 4 }], [one!]),
      recordKey('a', ['other', { lookEvery: 5 }], [one!]),
      recordKey('a', [mark, { lookEvery: 5 }], [two!]),
    ];
    expect(new Set(keys).size).toBe(4);
    expect(recordKey('a', [mark, { lookEvery: 5 }], [one!])).toBe(keys[0]);
  });
});
