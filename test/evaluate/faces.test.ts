import { copyFileSync, mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { runAttacks } from '../../src/evaluate/attacks/run-attacks.ts';
import { evaluatePairs } from '../../src/evaluate/evaluate-pairs.ts';
import { openJudges } from '../../src/evaluate/judges/judges.ts';
import { LocalMeasurer } from '../../src/evaluate/measurer.ts';
import { FaceObserver } from '../../src/evaluate/observer.ts';
import { listInputs, People, pairByName } from '../../src/evaluate/pairs.ts';
import { score } from '../../src/evaluate/score.ts';
import { readThresholds } from '../../src/evaluate/thresholds.ts';
import { ModelStore } from '../../src/infer/model-store.ts';
import { filter, meanPicture, peopleFolder } from '../support/people.ts';

let observer: FaceObserver;
let originals: string;
let names: string[];

beforeAll(async () => {
  const store = ModelStore.open();
  observer = await FaceObserver.create(store, await openJudges(store));
  ({ folder: originals, names } = await peopleFolder(observer, 6));
}, 60_000);

/** Measures an "anonymizer" that writes each output from the originals. */
async function measured(anonymize: (name: string, to: string) => void) {
  const outputs = mkdtempSync(join(tmpdir(), 'understudy-outputs-'));
  for (const name of names) anonymize(name, join(outputs, `${name}.png`));
  const { pairs } = pairByName(listInputs(originals), listInputs(outputs));
  const { records, leftOut } = await evaluatePairs(pairs, {
    measurer: new LocalMeasurer(observer),
    people: People.read(undefined),
  });
  expect(leftOut).toEqual([]);
  expect(records).toHaveLength(names.length);
  return records;
}

async function scored(anonymize: (name: string, to: string) => void) {
  const records = await measured(anonymize);
  const thresholds = readThresholds('models/evaluate/thresholds.json');
  return score(records, { recognizers: observer.judges.recognizers, thresholds });
}

const path = (name: string) => join(originals, `${name}.png`);

describe('scores of methods whose answer is known', { timeout: 60_000 }, () => {
  it('has all judges, and people to judge', () => {
    expect(observer.judges.absent.filter((a) => !a.includes('libdlib-data'))).toEqual([]);
    expect(names.length).toBe(6);
  });

  it('catches a method that copies, by every recognizer and by its light', async () => {
    const s = await scored((name, to) => copyFileSync(path(name), to));
    for (const metric of ['reidTprAtFar1e3A', 'reidTprAtFar1e3B', 'reidTprAtFar1e3C', 'rank1A', 'rank1B', 'rank1C'])
      expect(s[metric]?.value, metric).toBe(1);
    expect(s.suspectedCopies?.value).toBe(1);
    for (const metric of ['reidCosineA', 'reidCosineC']) expect(s[metric]?.value, metric).toBeCloseTo(1, 5);
    for (const metric of ['poseError', 'expressionError', 'siMse', 'siL2', 'deltaE', 'deltaEAlbedo', 'reidDistanceB'])
      expect(s[metric]?.value, metric).toBeCloseTo(0, 6);
    for (const metric of ['detectionRate', 'detectionRateMtcnn', 'expressionAgreement', 'backgroundSsim'])
      expect(s[metric]?.value, metric).toBeCloseTo(1, 6);
    expect(s.backgroundPsnr?.value).toBe(100);
  });

  it('does not take somebody else for the original', async () => {
    const next = (name: string) => names[(names.indexOf(name) + 1) % names.length]!;
    const s = await scored((name, to) => copyFileSync(path(next(name)), to));
    for (const metric of ['reidTprAtFar1e3A', 'reidTprAtFar1e3B', 'reidTprAtFar1e3C', 'rank1A', 'rank1B', 'rank1C'])
      expect(s[metric]?.value, metric).toBe(0);
    expect(s.poseError?.value).toBeGreaterThan(0.03);
    expect(s.deltaE?.value).toBeGreaterThan(5);
    expect(s.backgroundPsnr?.value).toBeLessThan(25);
  });

  it('leaves Si-MSE at 0 when only the brightness changes, and sees it in ΔL', async () => {
    const s = await scored((name, to) => filter(path(name), to, 'colorchannelmixer=rr=0.8:gg=0.8:bb=0.8'));
    expect(s.siMse?.value).toBeLessThan(1e-4);
    expect(s.siL2?.value).toBeLessThan(1e-5);
    expect(s.deltaL?.value).toBeGreaterThan(5);
  });

  it('sees a change of hue and saturation in ΔC, hardly in ΔL or the light', async () => {
    const s = await scored((name, to) =>
      filter(path(name), to, 'format=yuv444p,lutyuv=u=(val-128)*0.4+128:v=(val-128)*0.4+128'),
    );
    expect(s.deltaC?.value).toBeGreaterThan(5);
    expect(s.deltaL!.value).toBeLessThan(0.4 * s.deltaC!.value);
    expect(s.siL2!.value).toBeLessThan(1e-3);
  });

  it('catches one face for everybody: outputs as alike as copies', async () => {
    const s = await scored((_, to) => copyFileSync(path(names[0]!), to));
    expect(s.outputSimilarityA?.value).toBeGreaterThan(0.99);
    expect(s.outputSimilarityA!.value).toBeGreaterThan(s.originalSimilarityA!.value + 0.5);
  });

  it('catches one mean face for everybody by linkage, whoever looks', async () => {
    const mean = join(mkdtempSync(join(tmpdir(), 'understudy-mean-')), 'mean.png');
    meanPicture(names.map(path), mean);
    const records = await measured((_, to) => copyFileSync(mean, to));
    const s = score(records, { recognizers: observer.judges.recognizers, thresholds: {} });
    expect(s.outputSimilarityA!.value).toBeGreaterThan(0.99);
    expect(s.outputSimilarityC!.value).toBeGreaterThan(0.99);
    // Another key draws the same face again: an output of one session is found among another's.
    const otherKey = records.map(({ name, person, embeddings, thumbs }) => ({
      ...{ name, person, outputAlone: thumbs.outputAlone },
      embeddings: Object.fromEntries(Object.entries(embeddings).map(([k, e]) => [k, e.anonymized])),
    }));
    const attacks = runAttacks({ records, otherKeys: [otherKey], recognizers: observer.judges.recognizers });
    for (const key of ['A', 'B', 'C']) expect(attacks[`parrot${key}`]?.value, key).toBe(1);
  });

  it('catches a mean of faces that do not lie on each other by detection', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'understudy-mean-'));
    const apart = names.map((name, i) => {
      const [x, y] = [Math.cos((2 * Math.PI * i) / names.length), Math.sin((2 * Math.PI * i) / names.length)];
      const file = join(folder, `${name}.png`);
      filter(
        path(name),
        file,
        `pad=520:520:${Math.round(100 + 80 * x)}:${Math.round(100 + 80 * y)},crop=320:320:100:100`,
      );
      return file;
    });
    const mean = join(folder, 'mean.png');
    meanPicture(apart, mean);
    const s = await scored((_, to) => copyFileSync(mean, to));
    expect(s.detectionRate?.value).toBe(0);
    expect(s.detectionRateMtcnn?.value).toBe(0);
  });

  it('finds no face in a flat picture, and gives no number for what needs one', async () => {
    const s = await scored((name, to) => filter(path(name), to, 'lutrgb=r=127:g=127:b=127'));
    expect(s.detectionRate?.value).toBe(0);
    expect(s.detectionRateMtcnn?.value).toBe(0);
    expect(s.poseError).toBeUndefined();
    expect(s.expressionAgreement).toBeUndefined();
    // Nobody was seen out of six people: the interval still says how little that proves.
    expect(s.detectionRate?.high).toBeGreaterThan(0.3);
  });
});
