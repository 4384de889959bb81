import { describe, expect, it } from 'vitest';
import { attackedOutput, type KeyedOutput } from '../../src/evaluate/attacks/keyed-output.ts';
import { runAttacks } from '../../src/evaluate/attacks/run-attacks.ts';
import { type Sample, trainedMatcher } from '../../src/evaluate/attacks/trained-matcher.ts';
import { THUMB } from '../../src/evaluate/face-crop.ts';
import type { FaceRecord } from '../../src/evaluate/face-record.ts';
import { cosine } from '../../src/evaluate/metrics/reidentification.ts';
import { seededRandom } from '../../src/evaluate/metrics/statistics.ts';

const PEOPLE = 50;
const SIZE = 24;
const KEYS = 6;

function normals(seed: number, count: number): Float32Array {
  const random = seededRandom(seed);
  return Float32Array.from({ length: count }, () => {
    return Math.sqrt(-2 * Math.log(random() + 1e-12)) * Math.cos(2 * Math.PI * random());
  });
}

describe('a matcher that has several outputs of everybody it learns from', () => {
  const mix = normals(1, SIZE * SIZE);
  /** The original's features, mixed by a secret matrix which all keys share, and a good deal of each key's own noise. */
  const output = (person: number, key: number): Sample => {
    const gallery = normals(100 + person, SIZE);
    const noise = normals(1000 * (key + 1) + person, SIZE);
    const probe = Float32Array.from({ length: SIZE }, (_, i) => {
      let sum = 0;
      for (let j = 0; j < SIZE; j++) sum += (mix[i * SIZE + j]! * gallery[j]!) / Math.sqrt(SIZE);
      return sum + noise[i]!;
    });
    return { person: `p${person}`, probe, gallery };
  };
  const everybody = Array.from({ length: PEOPLE }, (_, p) => p);
  const attacked = everybody.map((p) => output(p, 0));
  const further = Array.from({ length: KEYS }, (_, k) => everybody.map((p) => output(p, k + 1))).flat();

  it('finds more than one that has a single output of each', () => {
    const [one, many] = [trainedMatcher(attacked)!, trainedMatcher(attacked, further)!];
    expect(many.value).toBeGreaterThan(one.value + 0.1);
    expect(many.n).toBe(PEOPLE);
    expect(many.chance).toBeCloseTo(1 / PEOPLE, 9);
  });

  it('never learns from the outputs of those whom it searches for', () => {
    // Outputs that say who it is, and nothing about anybody else: only who has seen one of him finds him.
    const marks = (key: number): Sample[] =>
      everybody.map((p) => {
        const own = normals(5000 + p, SIZE);
        const noise = normals(7000 + 100 * key + p, SIZE);
        return { person: `p${p}`, probe: own.map((v, i) => v + 0.05 * noise[i]!), gallery: normals(100 + p, SIZE) };
      });
    expect(trainedMatcher(marks(0), [marks(1), marks(2)].flat())!.value).toBeLessThan(0.15);
  });

  it('keeps what the attacked key alone teaches, when outputs of other keys only mislead', () => {
    const misled = further.map((s, i) => ({ ...s, probe: normals(90_000 + i, SIZE).map((v) => 50 * v) }));
    expect(trainedMatcher(attacked, misled)!.value).toBeGreaterThanOrEqual(trainedMatcher(attacked)!.value);
  });
});

const recognizers = [{ key: 'A', similarity: cosine }] as const;

/** A face of random points and pixels; the seed is the face. */
function looks(seed: number) {
  const random = seededRandom(seed);
  const points = Float32Array.from({ length: 136 }, () => 128 * random());
  // Eyes left and right, a mouth below: the canonical square needs them.
  const place = (from: number, to: number, x: number, y: number) => {
    for (let i = from; i < to; i++) {
      points[2 * i] = x + 4 * random();
      points[2 * i + 1] = y + 4 * random();
    }
  };
  place(36, 42, 40, 50);
  place(42, 48, 84, 50);
  place(48, 55, 62, 94);
  const cells = Array.from({ length: 16 * 16 * 3 }, () => Math.floor(256 * random()));
  const thumb = Uint8Array.from({ length: 3 * THUMB * THUMB }, (_, i) => {
    const [p, c] = [Math.floor(i / 3), i % 3];
    return cells[3 * (16 * Math.floor(p / THUMB / 4) + Math.floor((p % THUMB) / 4)) + c]!;
  });
  return { points, thumb, embedding: normals(seed, SIZE) };
}

/** @param output seed of what is shown in the place of person `i`'s face */
function record(i: number, output: number): FaceRecord {
  const [own, shown] = [looks(i), looks(output)];
  return {
    ...{ name: `p${i}`, person: `p${i}`, values: {}, expression: [-1, -1, -1] },
    embeddings: { A: { original: own.embedding, anonymized: shown.embedding } },
    points: { original: own.points, anonymized: shown.points },
    inPicture: own.points,
    thumbs: { original: own.thumb, anonymized: shown.thumb, outputAlone: shown.thumb },
  };
}

const set = (output: (i: number) => number) => Array.from({ length: PEOPLE }, (_, i) => record(i, output(i)));
const keyed = (records: readonly FaceRecord[]): KeyedOutput[] => records.map(attackedOutput);
const LEARNT = ['landmarkMetric', 'colourGrid', 'tinyPicture16', 'contextOnlyControl', 'trainedEmbeddingA'];

describe('attacks by what an output looks like', () => {
  it('find everybody whose output is a copy, with and without further keys', () => {
    const copies = set((i) => i);
    for (const otherKeys of [[], [keyed(copies)]]) {
      const attacks = runAttacks({ records: copies, otherKeys, recognizers });
      for (const name of LEARNT) expect(attacks[name], name).toMatchObject({ value: 1, n: PEOPLE });
    }
  });

  it('find hardly anybody in outputs that are of nobody', () => {
    const strangers = (key: number) => set((i) => 10_000 * key + i);
    const otherKeys = [keyed(strangers(2)), keyed(strangers(3))];
    const attacks = runAttacks({ records: strangers(1), otherKeys, recognizers });
    // Chance is 1 of 50; of thirteen settings the best counts.
    for (const name of LEARNT) expect(attacks[name]!.value, name).toBeLessThanOrEqual(0.12);
  });

  it('leave out of the landmark metric whose output shows no face, and still learn from his other outputs', () => {
    const copies = set((i) => i);
    const [first, ...rest] = copies;
    const faceless = [{ ...first!, points: { original: first!.points.original } }, ...rest];
    const { landmarkMetric, colourGrid } = runAttacks({ records: faceless, otherKeys: [keyed(copies)], recognizers });
    expect(landmarkMetric).toMatchObject({ value: 1, n: PEOPLE - 1 });
    expect(colourGrid!.n).toBe(PEOPLE);
  });

  it('search for nobody who is not in the gallery', () => {
    const copies = set((i) => i);
    const pixelMeans = new Map(copies.map((r) => [r.name, { A: r.embeddings.A!.anonymized }]));
    const input = { records: copies, otherKeys: [keyed(copies)], pixelMeans, recognizers };
    const some = runAttacks({ ...input, gallery: copies.slice(0, 20) });
    for (const name of [...LEARNT, 'meanOf2KeysA', 'pixelMeanOf2KeysA'])
      expect(some[name], name).toMatchObject({ value: 1, n: 20, chance: 1 / 20 });
    // The output says as much without a gallery; all else has nobody to find.
    expect(Object.keys(runAttacks({ ...input, gallery: [] }))).toEqual(['parrotA']);
  });

  it('say how many outputs were searched for, each', () => {
    const copies = set((i) => i);
    const { aucA, parrotA, meanOf3KeysA } = runAttacks({
      records: copies,
      otherKeys: [keyed(copies), keyed(copies.slice(0, 20))],
      recognizers,
    });
    expect(aucA!.n).toBe(PEOPLE + PEOPLE + 20);
    expect(parrotA!.n).toBe(PEOPLE + 20);
    expect(meanOf3KeysA!.n).toBe(PEOPLE);
  });
});
