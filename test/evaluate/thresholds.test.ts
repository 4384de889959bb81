import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { runAttacks } from '../../src/evaluate/attacks/run-attacks.ts';
import type { FaceRecord } from '../../src/evaluate/face-record.ts';
import { cosine } from '../../src/evaluate/metrics/reidentification.ts';
import { seededRandom } from '../../src/evaluate/metrics/statistics.ts';
import { type InputFile, People } from '../../src/evaluate/pairs.ts';
import { score } from '../../src/evaluate/score.ts';
import { calibrateThresholds, matchedNote } from '../../src/evaluate/thresholds.ts';

const PEOPLE = 900;
const name = (i: number) => `p${String(i).padStart(4, '0')}_photo`;
const files: InputFile[] = Array.from({ length: PEOPLE }, (_, i) => ({
  name: name(i),
  path: String(i),
  kind: 'picture',
}));
const recognizers = [{ key: 'A', name: 'a recognizer', similarity: cosine }] as const;

/** Half the people are women, half men; those of one group resemble each other. */
function people(): People {
  const path = join(mkdtempSync(join(tmpdir(), 'understudy-groups-')), 'info.csv');
  const rows = files.map((_, i) => `p${String(i).padStart(4, '0')},${20 + (i % 2)},${i % 2 ? 'male' : 'female'}`);
  writeFileSync(path, ['id,age,gender', ...rows].join('\n'));
  return People.read(path);
}

function embedding(i: number): Float32Array {
  const random = seededRandom(i + 1);
  return Float32Array.from({ length: 16 }, (_, k) => random() - 0.5 + (k === 0 ? (i % 2 ? 0.6 : -0.6) : 0));
}

const measurer = { recognizers, embed: async (path: string) => ({ A: embedding(Number(path)) }) };

describe('calibrated thresholds', () => {
  it('are stricter for impostors of the same group, and let through a thousandth of them', async () => {
    const made = await calibrateThresholds(measurer, files, { people: people(), source: 'test' });
    const { A, matchedA } = made.thresholds;
    expect(A!.impostorPairs).toBe((PEOPLE * (PEOPLE - 1)) / 2);
    expect(matchedA!.impostorPairs).toBe(2 * ((450 * 449) / 2));
    expect(matchedA!.threshold!).toBeGreaterThan(A!.threshold!);
    const within: number[] = [];
    for (let i = 0; i < PEOPLE; i++) for (let j = i % 2; j < i; j += 2) within.push(cosine(embedding(i), embedding(j)));
    const accepted = within.filter((s) => s >= matchedA!.threshold!).length / within.length;
    expect(accepted).toBeGreaterThan(0.0009);
    expect(accepted).toBeLessThan(0.0011);
    expect(matchedNote(made.thresholds)).toEqual([]);
  });

  it('are not measurable with fewer than a hundred expected false accepts, for all or within groups', async () => {
    const few = await calibrateThresholds(measurer, files.slice(0, 400), { people: people(), source: 'test' });
    expect(few.thresholds.A).toMatchObject({ impostorPairs: 79_800, needed: 100_000 });
    expect(few.thresholds.A!.threshold).toBeUndefined();
    const some = await calibrateThresholds(measurer, files.slice(0, 500), { people: people(), source: 'test' });
    expect(some.thresholds.A!.threshold).toBeGreaterThan(0);
    expect(some.thresholds.matchedA!.threshold).toBeUndefined();
    expect(matchedNote(some.thresholds)[0]).toMatch(/not measurable, 62250 such pairs .* 100000 are needed/);
    const nobodyKnown = await calibrateThresholds(measurer, files.slice(0, 500), {
      people: People.read(undefined),
      source: 'test',
    });
    expect(nobodyKnown.thresholds.matchedA!.impostorPairs).toBe(0);
  });
});

/** A record with nothing in it but embeddings. */
function record(i: number, anonymized: Float32Array): FaceRecord {
  const empty = new Uint8Array(3 * 64 * 64);
  return {
    name: name(i),
    person: `p${String(i).padStart(4, '0')}`,
    values: {},
    expression: [-1, -1, -1],
    embeddings: { A: { original: embedding(i), anonymized } },
    points: { original: new Float32Array(136) },
    inPicture: new Float32Array(136),
    thumbs: { original: empty, anonymized: empty, outputAlone: empty },
  };
}

describe('scores at thresholds', () => {
  const points = {
    A: { threshold: 0.8, impostorPairs: 200_000, source: 'test' },
    matchedA: { threshold: 0.9999, impostorPairs: 200_000, source: 'test' },
  };

  it('counts copies as accepted at both points, and gives no figure where there is no threshold', () => {
    const copies = [0, 1, 2].map((i) => record(i, embedding(i)));
    const s = score(copies, { recognizers, thresholds: points });
    expect(s.reidTprAtFar1e3A?.value).toBe(1);
    expect(s.reidTprAtFar1e3MatchedA?.value).toBe(1);
    const without = score(copies, {
      recognizers,
      thresholds: { A: { impostorPairs: 3, needed: 100_000, source: 'test' } },
    });
    expect(without.reidTprAtFar1e3A).toBeUndefined();
  });

  it('searches among people of the same groups when asked what those do not tell', () => {
    // Outputs that say which group somebody is of and nothing else.
    const groupOnly = Array.from({ length: 20 }, (_, i) => record(i, embedding(i % 2 ? 901 : 900)));
    const copies = Array.from({ length: 20 }, (_, i) => record(i, embedding(i)));
    const attack = (records: FaceRecord[]) => runAttacks({ records, otherKeys: [], recognizers, people: people() });
    const { matchedGalleryA: copied } = attack(copies);
    expect(copied!.value).toBe(1);
    expect(copied!.chance).toBeCloseTo(0.1, 9);
    expect(attack(groupOnly).matchedGalleryA!.value).toBeLessThanOrEqual(0.2);
    const { aucA, matchedAucA } = attack(groupOnly);
    expect(attack(copies).matchedAucA!.value).toBe(1);
    expect(matchedAucA!.value).toBeGreaterThan(0.3);
    expect(matchedAucA!.value).toBeLessThan(aucA!.value);
  });

  it('counts the outputs of every key: what one key happened to draw is not the program', () => {
    const nothing = Array.from({ length: 40 }, (_, i) => record(i, embedding(500 + i)));
    const keyed = (of: (i: number) => number) =>
      nothing.map(({ name, person, thumbs: { outputAlone } }, i) => ({
        ...{ name, person, outputAlone },
        embeddings: { A: embedding(of(i)) },
      }));
    const attack = (otherKeys: ReturnType<typeof keyed>[]) =>
      runAttacks({ records: nothing, otherKeys, recognizers, people: people() });
    const unlike = attack([keyed((i) => 600 + i)]);
    const half = attack([keyed((i) => 600 + i), keyed((i) => i)]);
    // One of three keys gives everybody back.
    expect(half.aucA!.value).toBeCloseTo((2 * unlike.aucA!.value + 1) / 3, 9);
    expect(unlike.aucA!.value).toBeLessThan(0.9);
    // The attacked outputs are those of one of two other keys: half of the searches link them.
    const linked = attack([keyed((i) => 600 + i), keyed((i) => 500 + i)]);
    expect(linked.parrotA!.value - unlike.parrotA!.value / 2).toBeCloseTo(0.5, 2);
    expect(linked.parrotA!.chance).toBeCloseTo(1 / 40, 9);
  });
});
