import { existsSync } from 'node:fs';
import { runAttacks } from '../evaluate/attacks/run-attacks.ts';
import { evaluatePairs } from '../evaluate/evaluate-pairs.ts';
import type { FaceRecord } from '../evaluate/face-record.ts';
import { labelled, Measurements, unmeasurable } from '../evaluate/measurements.ts';
import type { Embeddings } from '../evaluate/measurer.ts';
import type { InputFile, LeftOut } from '../evaluate/pairs.ts';
import type { AttackResult } from '../evaluate/result.ts';
import { outputOf } from './anonymize-set.ts';
import { CountLine } from './count-line.ts';
import type { Bench, Variant } from './evaluate-variant.ts';
import { embedWithKey, kept, type MeasuredKey, type MeasuredPictures, pictureOf } from './measure-variant.ts';

interface Attacked {
  readonly attacks: Readonly<Record<string, AttackResult>>;
  readonly leftOut: readonly LeftOut[];
}

/** Makes the outputs of further keys and attacks the first one's. What could not be used is listed by where that was. */
export async function attackPictures(variant: Variant, bench: Bench, first: MeasuredPictures): Promise<Attacked> {
  const { records } = first;
  if (records.length === 0) return { attacks: {}, leftOut: [] };
  const others: MeasuredKey[] = [];
  if (!variant.folder)
    for (let key = 2; key <= bench.keys; key++) others.push(await embedWithKey(variant, bench, { records, key }));
  const folders = [first, ...others].map((made) => made.folder);
  const mixed = others.length > 0 ? await pixelMeans(bench, records, folders) : undefined;
  const gallery = bench.gallery && (await galleryRecords(bench, bench.gallery, records));
  const attacks = runAttacks({
    records,
    // Also one that turned out empty: to search in the very pictures is another attack.
    ...(gallery && { gallery: gallery.records }),
    otherKeys: others.map((o) => o.faces),
    ...(mixed && { pixelMeans: mixed.means }),
    recognizers: bench.measurer.recognizers,
    people: bench.people,
  });
  const leftOut = [...others, ...(mixed ? [mixed] : []), ...(gallery ? [gallery] : [])].flatMap((part) => part.leftOut);
  return { attacks, leftOut };
}

/** Every face in the mean of its picture's outputs by all keys. */
async function pixelMeans({ originals, measurer }: Bench, records: readonly FaceRecord[], folders: readonly string[]) {
  const pictures = new Map(originals.map((f) => [f.name, f]));
  const measurements = new Measurements<readonly [name: string, embeddings: Embeddings]>();
  for (const record of records) {
    measurements.add(record.name, async () => {
      const picture = pictures.get(pictureOf(record, pictures));
      const paths = folders.map((folder) => outputOf(picture!, folder));
      if (!paths.every((path) => existsSync(path))) throw unmeasurable('not every key has an output of it');
      return [[record.name, await measurer.embedMean(paths, record.inPicture)]];
    });
  }
  const { results, leftOut } = await measurements.finish();
  return { means: new Map(results), leftOut: labelled('mean of the keys', leftOut) };
}

/** The gallery's originals, measured as pairs with themselves; whoever of the attacked is in none of them is listed. */
async function galleryRecords(bench: Bench, gallery: readonly InputFile[], attacked: readonly FaceRecord[]) {
  const { measurer, people, progress } = bench;
  const line = new CountLine(progress, 'gallery: measured', gallery.length);
  const pairs = gallery.map((f) => ({ original: f, anonymized: f }));
  const recordsPath = kept(bench, 'records-gallery.jsonl');
  const { records, leftOut } = await evaluatePairs(pairs, {
    measurer,
    people,
    ...(recordsPath && { recordsPath }),
    onPair: (n) => line.at(n),
  });
  line.end();
  const there = new Set(records.map((r) => r.person));
  const missing = attacked
    .filter((r) => !there.has(r.person))
    .map(({ name, person }) => ({ name, reason: `no picture of ${person} to search in` }));
  return { records, leftOut: labelled('gallery', [...leftOut, ...missing]) };
}
