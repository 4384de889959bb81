import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { evaluatePairs } from '../../src/evaluate/evaluate-pairs.ts';
import { openJudges } from '../../src/evaluate/judges/judges.ts';
import { MeasurePool } from '../../src/evaluate/measure-pool.ts';
import { LocalMeasurer } from '../../src/evaluate/measurer.ts';
import { FaceObserver } from '../../src/evaluate/observer.ts';
import { listInputs, People } from '../../src/evaluate/pairs.ts';
import { ModelStore } from '../../src/infer/model-store.ts';
import { peopleFolder } from '../support/people.ts';

let local: LocalMeasurer;
let pool: MeasurePool;
let folder: string;

beforeAll(async () => {
  const store = ModelStore.open();
  const observer = await FaceObserver.create(store, await openJudges(store));
  local = new LocalMeasurer(observer);
  ({ folder } = await peopleFolder(observer, 4));
  pool = await MeasurePool.start(2);
}, 60_000);

afterAll(() => pool.close());

/** Everybody against the next one: all metrics have something to say. */
function pairs() {
  const files = listInputs(folder);
  return files.map((original, i) => ({ original, anonymized: files[(i + 1) % files.length]! }));
}

describe('judges in several threads', { timeout: 60_000 }, () => {
  it('answer what one thread answers, in the order in which they were asked', async () => {
    const people = People.read(undefined);
    const here = await evaluatePairs(pairs(), { measurer: local, people });
    const there = await evaluatePairs(pairs(), { measurer: pool, people });
    expect(there.records).toHaveLength(4);
    expect(there.records).toEqual(here.records);
    expect(pool.recognizers.map((r) => [r.key, r.similarity])).toEqual(
      local.recognizers.map((r) => [r.key, r.similarity]),
    );
  });

  it('find a face again where it was, and look there too when there is none', async () => {
    const [pair] = pairs();
    const [record] = await local.pair({ original: pair!.original, anonymized: pair!.original }, 'somebody');
    const [again] = await pool.embedAt(pair!.original.path, [record!.inPicture]);
    const [elsewhere] = await pool.embedAt(pair!.original.path, [record!.inPicture.map((v) => v * 0.2)]);
    for (const { key, similarity } of local.recognizers) {
      const own = record!.embeddings[key]!.original;
      expect(similarity(again!.embeddings[key]!, own), key).toBeCloseTo(similarity(own, own), 5);
      expect(similarity(elsewhere!.embeddings[key]!, own), key).toBeLessThan(similarity(own, own) - 0.1);
    }
  });

  it('say why a file is left out in the same words', async () => {
    const broken = join(mkdtempSync(join(tmpdir(), 'understudy-broken-')), 'broken.jpg');
    writeFileSync(broken, 'no picture');
    const [first] = pairs();
    const pair = { original: first!.original, anonymized: { name: 'broken', path: broken, kind: 'picture' as const } };
    const options = { people: People.read(undefined) };
    const [here] = (await evaluatePairs([pair], { ...options, measurer: local })).leftOut;
    const [there] = (await evaluatePairs([pair], { ...options, measurer: pool })).leftOut;
    expect(there!.reason).toMatch(/broken.jpg cannot be read/);
    expect(there).toEqual(here);
  });

  it('leave out a face at which a recognizer answers NaN, instead of calling it unrecognized', async () => {
    const store = ModelStore.open();
    const judges = await openJudges(store);
    const mad = { ...judges.recognizers[0]!, embed: async () => new Float32Array(512).fill(Number.NaN) };
    const observer = await FaceObserver.create(store, { ...judges, recognizers: [mad] });
    const measured = await evaluatePairs(pairs().slice(0, 1), {
      measurer: new LocalMeasurer(observer),
      people: People.read(undefined),
    });
    expect(measured.records).toEqual([]);
    expect(measured.leftOut[0]!.reason).toMatch(/recognizer A answers NaN/);
  });
});
