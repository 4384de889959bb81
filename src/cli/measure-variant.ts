import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Config } from '../config/loader.ts';
import { ExitCode, UnderstudyError } from '../core/errors.ts';
import type { KeyedOutput } from '../evaluate/attacks/run-attacks.ts';
import { PairMeasurements } from '../evaluate/evaluate-pairs.ts';
import type { FaceRecord } from '../evaluate/face-record.ts';
import { Measurements } from '../evaluate/measurements.ts';
import { type FilePair, type InputFile, type LeftOut, listInputs, pairByName } from '../evaluate/pairs.ts';
import type { VideoResult } from '../evaluate/video-tracks.ts';
import { ModelStore } from '../infer/model-store.ts';
import { anonymizeSet, outputOf } from './anonymize-set.ts';
import { CountLine } from './count-line.ts';
import type { Bench, Variant } from './evaluate-variant.ts';

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

/** Anonymizes the pictures and measures each as soon as it is there. */
export async function measurePictures(variant: Variant, bench: Bench): Promise<MeasuredPictures> {
  const { measurer, people } = bench;
  const originals = bench.originals.filter((f) => f.kind === 'picture');
  if (originals.length === 0) return { records: [], leftOut: [], folder: '' };
  const line = new CountLine(bench.progress, `${variant.label}: measured`, originals.length);
  const measurements = new PairMeasurements({
    measurer,
    people,
    ...(bench.keeps && { recordsPath: join(bench.work, 'records.jsonl') }),
    onPair: (n) => line.at(n),
  });
  const made = await outputs(variant, bench, { originals, key: 1, suffix: '' }, (pair) => measurements.add(pair));
  const { records, leftOut } = await measurements.finish();
  line.end();
  return { ...made, records: inOrder(records, originals), leftOut: [...made.leftOut, ...leftOut] };
}

/** The same faces with the n-th key: only what recognizers say of them. */
export async function embedWithKey(
  variant: Variant,
  bench: Bench,
  { records, key }: { records: readonly FaceRecord[]; key: number },
): Promise<{ faces: readonly KeyedOutput[]; folder: string }> {
  const originals = bench.originals.filter((f) => records.some((r) => r.name === f.name));
  const line = new CountLine(bench.progress, `${variant.label}, key ${key}: embedded`, originals.length);
  const measurements = new Measurements<KeyedOutput>((n) => line.at(n));
  const { folder } = await outputs(
    variant,
    bench,
    { originals, key, suffix: `-key${key}` },
    ({ original, anonymized }) => {
      const own = records.filter((r) => pictureOf(r) === original.name);
      measurements.add(original.name, async () => {
        const embeddings = await bench.measurer.embedAt(
          anonymized.path,
          own.map((r) => r.inPicture),
        );
        return own.map(({ name, person }, i) => ({ name, person, embeddings: embeddings[i]! }));
      });
    },
  );
  const { results } = await measurements.finish();
  line.end();
  return { faces: inOrder(results, originals), folder };
}

export async function measureVideos(variant: Variant, bench: Bench): Promise<MeasuredVideos> {
  const originals = bench.originals.filter((f) => f.kind === 'video');
  if (originals.length === 0) return { videos: [], leftOut: [] };
  const line = new CountLine(bench.progress, `${variant.label}: measured videos`, originals.length);
  const measurements = new Measurements<VideoResult>((n) => line.at(n));
  const { thresholds, lookEvery, maxFrames } = bench;
  const made = await outputs(variant, bench, { originals, key: 1, suffix: '-videos' }, (pair) =>
    measurements.add(pair.original.name, async () => [
      await bench.measurer.video(pair, { thresholds, lookEvery, maxFrames }),
    ]),
  );
  const { results, leftOut } = await measurements.finish();
  line.end();
  return { videos: inOrder(results, originals), leftOut: [...made.leftOut, ...leftOut] };
}

interface Asked {
  readonly originals: readonly InputFile[];
  readonly key: number;
  readonly suffix: string;
}

/** Tells of each pair when its output is there: at once, or as the method makes them. */
async function outputs(
  { folder, config, track = {} }: Variant,
  bench: Bench,
  { originals, key, suffix }: Asked,
  onPair: (pair: FilePair) => void,
): Promise<{ folder: string; leftOut: readonly LeftOut[]; timePerFaceMs?: number }> {
  if (folder !== undefined) {
    const { kind } = originals[0]!;
    const paired = pairByName(
      originals,
      listInputs(folder, bench.match).filter((f) => f.kind === kind),
    );
    for (const pair of paired.pairs) onPair(pair);
    return { folder, leftOut: paired.leftOut };
  }
  const own = join(bench.work, `anonymized${suffix}`);
  const keyed = withKey(config!, key);
  claim(own, keyed, track);
  const made = await anonymizeSet({ config: keyed, track, timed: key === 1 }, originals, own, (original) =>
    onPair({ original, anonymized: { ...original, path: outputOf(original, own) } }),
  );
  return { ...made, folder: own };
}

/** Further faces of a picture end in `#2`, `#3` … */
const pictureOf = ({ name }: { readonly name: string }) => name.replace(/#\d+$/, '');

/** Several are measured at once: the order must not depend on which was ready first. */
function inOrder<T extends { readonly name: string }>(results: readonly T[], originals: readonly InputFile[]): T[] {
  const place = new Map(originals.map((f, i) => [f.name, i]));
  const of = (result: T) => place.get(result.name) ?? place.get(pictureOf(result)) ?? 0;
  return [...results].sort((a, b) => of(a) - of(b));
}

/** The first key is the configured or a random one; the others are nobody's. */
function withKey(config: Config, key: number): Config {
  if (key === 1 || !config.sessionKey) return config;
  return { ...config, sessionKey: createHash('sha256').update(`${config.sessionKey} ${key}`).digest('hex') };
}

/** The network's hash: what an earlier one made is not this one's. */
function generatorOf({ mode, models, infer }: Config) {
  if (mode !== 'generate') return {};
  const store = ModelStore.open({
    ...(models.dir && { dir: models.dir }),
    ...(models.cacheDir && { cacheDir: models.cacheDir }),
  });
  const beside = ['generator-identities'].filter((name) => store.lists(name));
  const detail = store.detail(infer.detail);
  return { generator: store.hashes([store.generator(infer.precision), ...(detail ? [detail] : []), ...beside]) };
}

/** Pictures of other settings or another generator in the same folder would be taken for this run's. */
function claim(folder: string, config: Config, track: Variant['track']): void {
  mkdirSync(folder, { recursive: true });
  const path = join(folder, '.settings.json');
  const { sessionKey: _, ...shown } = config;
  const settings = JSON.stringify({ ...shown, analysis: track ?? {}, ...generatorOf(config) });
  if (existsSync(path) && readFileSync(path, 'utf8') !== settings) {
    throw new UnderstudyError(
      ExitCode.usage,
      `${folder} holds pictures made with other settings or another generator`,
      'give another --work, or delete that folder',
    );
  }
  writeFileSync(path, settings);
}
