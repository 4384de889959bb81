import { join } from 'node:path';
import type { KeyedOutput } from '../evaluate/attacks/keyed-output.ts';
import { PairMeasurements } from '../evaluate/evaluate-pairs.ts';
import type { FaceRecord } from '../evaluate/face-record.ts';
import { labelled, Measurements } from '../evaluate/measurements.ts';
import type { InputFile, LeftOut } from '../evaluate/pairs.ts';
import { RecordStore, recordKey } from '../evaluate/record-store.ts';
import type { VideoResult } from '../evaluate/video-tracks.ts';
import { CountLine } from './count-line.ts';
import type { Bench, Variant } from './evaluate-variant.ts';
import { outputs, outputsAlone } from './variant-outputs.ts';

export interface MeasuredPictures {
  readonly records: readonly FaceRecord[];
  readonly leftOut: readonly LeftOut[];
  readonly folder: string;
  readonly timePerFaceMs?: number;
}

export interface MeasuredVideos {
  readonly videos: readonly VideoResult[];
  readonly leftOut: readonly LeftOut[];
}

export interface MeasuredKey {
  readonly faces: readonly KeyedOutput[];
  readonly folder: string;
  readonly leftOut: readonly LeftOut[];
}

/** Anonymizes the pictures and measures each as soon as it is there. */
export async function measurePictures(variant: Variant, bench: Bench): Promise<MeasuredPictures> {
  const { measurer, people } = bench;
  const originals = bench.originals.filter((f) => f.kind === 'picture');
  if (originals.length === 0) return { records: [], leftOut: outputsAlone(variant, bench, 'picture'), folder: '' };
  const line = new CountLine(bench.progress, `${variant.label}: measured`, originals.length);
  const recordsPath = kept(bench, 'records.jsonl');
  const measurements = new PairMeasurements({
    measurer,
    people,
    ...(recordsPath && { recordsPath }),
    onPair: (n) => line.at(n),
  });
  const made = await outputs(variant, bench, { originals, key: 1, suffix: '' }, (pair) => measurements.add(pair));
  const { records, leftOut } = await measurements.finish();
  line.end();
  return { ...made, records: inOrder(records, originals), leftOut: [...made.leftOut, ...leftOut] };
}

/** The same faces with the n-th key: only what somebody who has the output can take from it. */
export async function embedWithKey(
  variant: Variant,
  bench: Bench,
  { records, key }: { records: readonly FaceRecord[]; key: number },
): Promise<MeasuredKey> {
  const { measurer } = bench;
  const originals = bench.originals.filter((f) => records.some((r) => r.name === f.name));
  const names = new Set(originals.map((f) => f.name));
  const line = new CountLine(bench.progress, `${variant.label}, key ${key}: embedded`, originals.length);
  const measurements = new Measurements<KeyedOutput>((n) => line.at(n));
  const store = new RecordStore<KeyedOutput>(kept(bench, `records-key${key}.jsonl`));
  const made = await outputs(variant, bench, { originals, key, suffix: `-key${key}` }, ({ original, anonymized }) => {
    const own = records.filter((r) => pictureOf(r, names) === original.name);
    const at = own.map((r) => r.inPicture);
    const persons = own.map((r) => r.person);
    measurements.add(original.name, () =>
      store.take(recordKey(original.name, [measurer.mark, persons], [original, anonymized]), async () => {
        const faces = await measurer.embedAt(anonymized.path, at);
        return own.map(({ name, person }, i) => ({ name, person, ...faces[i]! }));
      }),
    );
  });
  const { results, leftOut } = await measurements.finish();
  line.end();
  const { folder } = made;
  return { faces: inOrder(results, originals), folder, leftOut: labelled(`key ${key}`, [...made.leftOut, ...leftOut]) };
}

export async function measureVideos(variant: Variant, bench: Bench): Promise<MeasuredVideos> {
  const { measurer, thresholds, lookEvery, maxFrames } = bench;
  const originals = bench.originals.filter((f) => f.kind === 'video');
  if (originals.length === 0) return { videos: [], leftOut: outputsAlone(variant, bench, 'video') };
  const line = new CountLine(bench.progress, `${variant.label}: measured videos`, originals.length);
  const measurements = new Measurements<VideoResult>((n) => line.at(n));
  const store = new RecordStore<VideoResult>(kept(bench, 'records-videos.jsonl'));
  const look = { thresholds, lookEvery, maxFrames };
  const made = await outputs(variant, bench, { originals, key: 1, suffix: '-videos' }, (pair) => {
    const { original, anonymized } = pair;
    measurements.add(original.name, () =>
      store.take(recordKey(original.name, [measurer.mark, look], [original, anonymized]), async () => [
        await measurer.video(pair, look),
      ]),
    );
  });
  const { results, leftOut } = await measurements.finish();
  line.end();
  const videos = inOrder(results, originals);
  return { videos, leftOut: [...made.leftOut, ...leftOut, ...videos.flatMap((v) => v.leftOut ?? [])] };
}

/** Where measurements are kept, if they are. */
export function kept({ keeps, work }: Pick<Bench, 'keeps' | 'work'>, file: string): string | undefined {
  return keeps ? join(work, file) : undefined;
}

/** Further faces of a picture end in `#2`, `#3` … @param pictures names of pictures, which may themselves end so */
export const pictureOf = ({ name }: { readonly name: string }, pictures: { has(name: string): boolean }) =>
  pictures.has(name) ? name : name.replace(/#\d+$/, '');

/** Several are measured at once: the order must not depend on which was ready first. */
function inOrder<T extends { readonly name: string }>(results: readonly T[], originals: readonly InputFile[]): T[] {
  const place = new Map(originals.map((f, i) => [f.name, i]));
  const of = (result: T) => place.get(pictureOf(result, place)) ?? 0;
  return [...results].sort((a, b) => of(a) - of(b));
}
