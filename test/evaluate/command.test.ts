import { spawn, spawnSync } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, describe, expect, it, vi } from 'vitest';
import { FaceObserver } from '../../src/evaluate/observer.ts';
import { ModelStore } from '../../src/infer/model-store.ts';
import { filter, peopleFolder } from '../support/people.ts';

let people: string;
let folder: string;

interface Result {
  method: string;
  n: number;
  machine: string;
  metrics: Record<string, { value: number | null; low: number | null; high: number | null }>;
  attacks: Record<string, { value: number }>;
  perPicture: { name: string; person: string; poseError: number | null }[];
  leftOut: { name: string; reason: string }[];
}

/** The command as a user runs it. */
function evaluate(...args: string[]) {
  const run = spawnSync(process.execPath, ['dist/main.js', 'evaluate', ...args], { encoding: 'utf8' });
  return { code: run.status, out: run.stdout, err: run.stderr };
}

const read = (path: string) => JSON.parse(readFileSync(path, 'utf8')) as Result;

beforeAll(async () => {
  const observer = await FaceObserver.create(ModelStore.open(), { recognizers: [], absent: [] });
  ({ folder: people } = await peopleFolder(observer, 3));
}, 60_000);

function freshFolder(): { originals: string; outputs: string; json: string } {
  folder = mkdtempSync(join(tmpdir(), 'understudy-evaluate-test-'));
  const [originals, outputs] = [join(folder, 'originals'), join(folder, 'outputs')];
  mkdirSync(originals);
  mkdirSync(outputs);
  return { originals, outputs, json: join(folder, 'result.json') };
}

describe('understudy evaluate', { timeout: 120_000 }, () => {
  it('asks first whether it can write what it is to write, and read what it is to compare with', () => {
    const { originals, outputs } = freshFolder();
    copyFileSync(join(people, 'person00.png'), join(originals, 'a.png'));
    copyFileSync(join(people, 'person00.png'), join(outputs, 'a.png'));
    const nowhere = join(folder, 'nowhere', 'x');
    const cases: [string[], number, RegExp][] = [
      [['--json', nowhere], 5, /the folder .*nowhere does not exist/],
      [['--html', nowhere], 5, /the folder .*nowhere does not exist/],
      [['--json', join(originals, 'a.png')], 5, /the report .*a\.png is the input/],
      [['--html', join(outputs, 'a.png')], 5, /the report .*a\.png is the input/],
      [['--compare', nowhere], 4, /is no result of evaluate/],
      [['--work', join(originals, 'a.png')], 5, /a\.png cannot be made .*give --work the name of a folder/],
      [['--work', '/proc/self'], 5, /\/proc\/self cannot be made or written .*give --work the name of a folder/],
      [['--attack', '--gallery', 'nobody'], 4, /holds no picture or video whose name contains "nobody"/],
      [['--gallery', 'a'], 2, /--gallery says where attacks search, and there are none; add --attack/],
      [['--progress', 'foo'], 2, /--progress foo is not known; use line or none/],
    ];
    for (const [args, code, says] of cases) {
      const run = evaluate('--originals', originals, '--anonymized', outputs, ...args);
      expect(run.err).toMatch(says);
      expect(run.err.trim().split('\n'), run.err).toHaveLength(1);
      expect(run.code).toBe(code);
    }
  });

  it('takes its temporary folder with it when it is interrupted', async () => {
    const { originals, outputs } = freshFolder();
    const temporary = join(folder, 'tmp');
    mkdirSync(temporary);
    for (const side of [originals, outputs]) copyFileSync(join(people, 'person00.png'), join(side, 'a.png'));
    const args = ['dist/main.js', 'evaluate', '--originals', originals, '--anonymized', outputs];
    const child = spawn(process.execPath, args, { stdio: 'ignore', env: { ...process.env, TMPDIR: temporary } });
    const ended = new Promise((resolve) => child.once('exit', resolve));
    const made = () => readdirSync(temporary).filter((name) => name.startsWith('understudy-evaluate-'));
    await vi.waitUntil(() => made().length > 0, { timeout: 60_000, interval: 20 });
    child.kill('SIGINT');
    expect(await ended).toBe(130);
    expect(made()).toEqual([]);
  });

  it('counts and lists what it cannot compare, and scores the rest', () => {
    const { originals, outputs, json } = freshFolder();
    const person = (n: number) => join(people, `person0${n}.png`);
    copyFileSync(person(0), join(originals, 'good.png'));
    filter(person(0), join(outputs, 'good.png'), 'lutyuv=y=100');
    copyFileSync(person(1), join(originals, 'alone.png'));
    copyFileSync(person(1), join(outputs, 'stranger.png'));
    copyFileSync(person(1), join(originals, 'smaller.png'));
    filter(person(1), join(outputs, 'smaller.png'), 'scale=100:100');
    for (const side of [originals, outputs]) {
      filter(person(2), join(side, 'empty.png'), 'lutrgb=r=90:g=90:b=90');
      writeFileSync(join(side, 'broken.jpg'), 'no picture');
    }
    // What is left of an output that was cut off is grey below: it must not pass for a perfect disguise.
    const whole = join(folder, 'whole.jpg');
    filter(person(2), whole, 'null');
    copyFileSync(whole, join(originals, 'cut.jpg'));
    const bytes = readFileSync(whole);
    writeFileSync(join(outputs, 'cut.jpg'), bytes.subarray(0, bytes.length >> 1));
    const run = evaluate('--originals', originals, '--anonymized', outputs, '--json', json, '--progress', 'none');
    // One of five says nothing of the set that was asked about.
    expect(run.err).toMatch(/only 1 of 6 files could be compared/);
    expect(run.code).toBe(3);
    const result = read(json);
    expect(result.n).toBe(1);
    expect(result.perPicture.map((p) => p.name)).toEqual(['good']);
    // No face was found again: not a number, so null, and never a good-looking 0.
    expect(result.perPicture[0]!.poseError).toBeNull();
    expect(result.metrics.poseError).toBeUndefined();
    const reasons = Object.fromEntries(result.leftOut.map((l) => [l.name, l.reason]));
    expect(reasons.alone).toMatch(/no anonymized file/);
    expect(reasons.stranger).toMatch(/no original/);
    expect(reasons.smaller).toMatch(/sizes differ: 320×320 and 100×100/);
    expect(reasons.empty).toMatch(/no face found/);
    expect(reasons.broken).toMatch(/cannot be read/);
    expect(reasons.cut).toMatch(/is damaged/);
    expect(run.out).toContain('6 left out');
    expect(run.out).toContain('not measurable');
  });

  it.each([
    ['an empty folder', 4, /holds no picture or video/],
    ['a folder that does not exist', 4, /cannot be read/],
    ['nothing that could be compared', 3, /none of 1 files could be compared \(flat: no face found/],
    ['no method', 2, /either --anonymized or --method/],
    ['an unknown method', 2, /there is no method smear/],
  ])('says what is wrong with %s and how to go on', (what, code, message) => {
    const { originals, outputs } = freshFolder();
    if (what !== 'an empty folder') filter(join(people, 'person00.png'), join(originals, 'flat.png'), 'lutyuv=y=90');
    if (what.startsWith('nothing')) copyFileSync(join(originals, 'flat.png'), join(outputs, 'flat.png'));
    const named = what.includes('does not exist') ? join(originals, 'nowhere') : originals;
    const choice =
      what === 'no method' ? [] : what === 'an unknown method' ? ['--method', 'smear'] : ['--anonymized', outputs];
    const run = evaluate('--originals', named, ...choice, '--progress', 'none');
    expect(run.err).toMatch(message);
    expect(run.err.trim().split('\n')).toHaveLength(1);
    expect(run.code).toBe(code);
  });

  it('runs a method through the pipeline, goes on where it was, and refuses pictures of other settings', () => {
    const { json } = freshFolder();
    const work = join(folder, 'work');
    const html = join(folder, 'report.html');
    const args = ['--originals', people, '--work', work, '--progress', 'none'];
    const first = evaluate(...args, '--method', 'mask', '--json', json, '--html', html);
    expect(first.err).toBe('');
    expect(first.code).toBe(0);
    const result = read(json);
    expect(result).toMatchObject({ method: 'mask', n: 3 });
    expect(result.metrics.reidTprAtFar1e3A!.value).toBe(0);
    expect(result.metrics.detectionRate!.value).toBe(0);
    expect(result.machine).toMatch(/\d+ × /);
    const page = readFileSync(html, 'utf8');
    expect(page).not.toMatch(/(src|href)="(?!data:)/);
    expect(page).toContain('DeepPrivacy2');

    rmSync(join(work, 'anonymized', 'person01.jpg'));
    const lines = readFileSync(join(work, 'records.jsonl'), 'utf8').trim().split('\n');
    writeFileSync(join(work, 'records.jsonl'), `${lines.slice(0, 2).join('\n')}\n${lines[2]!.slice(0, 40)}`);
    const again = evaluate(...args, '--method', 'mask', '--json', json, '--html', html, '--no-faces');
    expect(again.code).toBe(0);
    expect(page).toContain('<img');
    expect(readFileSync(html, 'utf8')).not.toMatch(/<img|data:/);
    expect(readFileSync(html, 'utf8')).toContain('This file holds no pictures');
    expect(read(json).n).toBe(3);
    expect(readdirSync(join(work, 'anonymized')).filter((n) => n.endsWith('.jpg'))).toHaveLength(3);

    const other = evaluate(...args, '--method', 'blur');
    expect(other.code).toBe(2);
    expect(other.err).toMatch(/made with other settings/);
  });

  it('gives everybody an understudy of his own, whom no recognizer takes for him', () => {
    const { json } = freshFolder();
    const run = evaluate(
      '--originals',
      people,
      '--method',
      'generate',
      '--attack',
      '--keys',
      '2',
      '--json',
      json,
      '--progress',
      'none',
    );
    expect(run.err).toBe('');
    expect(run.code).toBe(0);
    const { metrics, attacks } = read(json);
    for (const key of ['A', 'B', 'C']) expect(metrics[`reidTprAtFar1e3${key}`]!.value, key).toBe(0);
    expect(metrics.detectionRate!.value).toBe(1);
    expect(metrics.timePerFaceMs!.value).toBeGreaterThan(0);
    expect(metrics.outputSimilarityA!.value).toBeLessThan(0.6);
    expect(Object.keys(attacks)).toEqual(
      expect.arrayContaining(['aucA', 'parrotA', 'meanOf2KeysA', 'pixelMeanOf2KeysA']),
    );
  });

  it("scores somebody else's model in our pipeline", () => {
    const { json } = freshFolder();
    const model = join(folder, 'theirs.onnx');
    copyFileSync('models/generator/understudy-128.onnx', model);
    const run = evaluate('--originals', people, '--method', `onnx:${model}`, '--json', json, '--progress', 'none');
    expect(run.err).toBe('');
    expect(run.code).toBe(0);
    const { method, n, metrics } = read(json);
    expect({ method, n }).toEqual({ method: `onnx:${model}`, n: 3 });
    expect(metrics.detectionRate!.value).toBe(1);
    for (const key of ['A', 'B', 'C']) expect(metrics[`reidTprAtFar1e3${key}`]!.value, key).toBe(0);
  });
});
