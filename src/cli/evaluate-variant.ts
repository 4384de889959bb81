import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { cpus, totalmem } from 'node:os';
import { join } from 'node:path';
import type { Config } from '../config/loader.ts';
import { ExitCode, UnderstudyError } from '../core/errors.ts';
import { embedMean } from '../evaluate/attacks/pixel-mean.ts';
import { runAttacks } from '../evaluate/attacks/run-attacks.ts';
import { evaluatePairs } from '../evaluate/evaluate-pairs.ts';
import { evaluateVideos, scoreVideos, templateAttack } from '../evaluate/evaluate-videos.ts';
import type { FaceRecord } from '../evaluate/face-record.ts';
import type { FaceObserver } from '../evaluate/observer.ts';
import { type InputFile, type LeftOut, listInputs, type People, pairByName } from '../evaluate/pairs.ts';
import type { EvaluationResult } from '../evaluate/result.ts';
import { score, setDistance } from '../evaluate/score.ts';
import type { Thresholds } from '../evaluate/thresholds.ts';
import { readPicture } from '../evaluate/y4m.ts';
import { anonymizePictures } from './anonymize-pictures.ts';
import { anonymizeVideos, type VideoRun } from './anonymize-videos.ts';
import { CountLine } from './count-line.ts';

/** One method with its settings: what is run, or the folder of what has been run elsewhere. */
export interface Variant {
  readonly label: string;
  readonly folder?: string;
  readonly config?: Config;
  /** The same settings as `understudy run` takes them: for videos. */
  readonly run?: VideoRun;
  /** Options of the analysis that no setting reaches: for the ablation only. */
  readonly track?: Readonly<Record<string, unknown>>;
}

export interface Bench {
  readonly originals: readonly InputFile[];
  readonly people: People;
  readonly observer: FaceObserver;
  readonly thresholds: Thresholds;
  /** Holds pictures and measurements while this runs, and afterwards when `keeps`. */
  readonly work: string;
  readonly keeps: boolean;
  /** Other pictures of the same people, for the attacks to search in. */
  readonly gallery: readonly InputFile[];
  /** Keys to run the method with: more than one for the attacks that need them. */
  readonly keys: number;
  readonly attack: boolean;
  readonly progress: string | undefined;
  /** Frames of a video that are looked at, and every how many the recognizers look. */
  readonly maxFrames: number;
  readonly lookEvery: number;
}

/** Runs and scores one variant. @throws UnderstudyError(noFace) when nothing could be compared */
export async function evaluateVariant(variant: Variant, bench: Bench): Promise<EvaluationResult> {
  mkdirSync(bench.work, { recursive: true });
  const { judges } = bench.observer;
  const pictures = await measure(variant, bench, 1);
  const videos = await measureVideos(variant, bench);
  const { records } = pictures;
  const leftOut = [...pictures.leftOut, ...videos.leftOut];
  if (records.length + videos.tracks.length === 0) {
    const reason = leftOut[0] ? ` (${leftOut[0].name}: ${leftOut[0].reason})` : '';
    throw new UnderstudyError(
      ExitCode.noFace,
      `none of ${bench.originals.length} files could be compared${reason}`,
      'see that both folders hold files of the same names with faces in them',
    );
  }
  const scores = score(records, { recognizers: judges.recognizers, thresholds: bench.thresholds });
  if (records.length > 0) scores.kid = setDistance(records, judges.recognizers.at(-1)!.key);
  if (pictures.timePerFaceMs !== undefined)
    scores.timePerFaceMs = { value: pictures.timePerFaceMs, low: Number.NaN, high: Number.NaN };
  const attacks = bench.attack
    ? { ...(await attacked(variant, bench, pictures)), ...templateAttack(videos.tracks, judges.recognizers) }
    : {};
  return {
    machine: `${cpus().length} × ${cpus()[0]?.model ?? 'unknown'}, ${Math.round(totalmem() / 2 ** 30)} GB`,
    method: variant.label,
    scores: { ...scores, ...scoreVideos(videos.tracks) },
    thresholds: bench.thresholds,
    attacks,
    records,
    tracks: videos.tracks,
    leftOut,
    absent: judges.absent,
  };
}

async function measureVideos(variant: Variant, bench: Bench) {
  const originals = bench.originals.filter((f) => f.kind === 'video');
  if (originals.length === 0) return { tracks: [], leftOut: [] };
  const leftOut: LeftOut[] = [];
  let { folder } = variant;
  if (!folder) {
    folder = join(bench.work, 'anonymized-videos');
    claim(folder, variant.config!, variant.track);
    const line = new CountLine(bench.progress, `${variant.label}: anonymized videos`, originals.length);
    leftOut.push(...(await anonymizeVideos(variant.run!, originals, folder, (n) => line.at(n))));
    line.end();
  }
  const paired = pairByName(
    originals,
    listInputs(folder).filter((f) => f.kind === 'video'),
  );
  const line = new CountLine(bench.progress, `${variant.label}: measured videos`, paired.pairs.length);
  const { observer, thresholds, lookEvery, maxFrames } = bench;
  const onVideo = (n: number) => line.at(n);
  const measured = await evaluateVideos(paired.pairs, { observer, thresholds, lookEvery, maxFrames, onVideo });
  line.end();
  return { tracks: measured.tracks, leftOut: [...leftOut, ...paired.leftOut, ...measured.leftOut] };
}

interface Measured {
  readonly records: readonly FaceRecord[];
  readonly leftOut: readonly LeftOut[];
  readonly folder: string;
  readonly timePerFaceMs?: number;
}

async function measure(variant: Variant, bench: Bench, key: number): Promise<Measured> {
  const suffix = key === 1 ? '' : `-key${key}`;
  const leftOut: LeftOut[] = [];
  const { observer, people } = bench;
  const originals = bench.originals.filter((f) => f.kind === 'picture');
  if (originals.length === 0) return { records: [], leftOut, folder: '' };
  let folder = variant.folder;
  let timePerFaceMs: number | undefined;
  if (!folder) {
    folder = join(bench.work, `anonymized${suffix}`);
    const config = withKey(variant.config!, key);
    claim(folder, config, variant.track);
    const line = new CountLine(bench.progress, `${variant.label}${suffix}: anonymized`, originals.length);
    const made = await anonymizePictures({ config, track: variant.track ?? {} }, originals, folder, (n) => line.at(n));
    line.end();
    leftOut.push(...made.leftOut);
    timePerFaceMs = made.timePerFaceMs;
  }
  const paired = pairByName(
    originals,
    listInputs(folder).filter((f) => f.kind === 'picture'),
  );
  // The folder may hold more than was asked for: only originals without an output are missing.
  const asked = new Set(originals.map((o) => o.name));
  leftOut.push(...paired.leftOut.filter((l) => asked.has(l.name) || variant.folder !== undefined));
  const line = new CountLine(bench.progress, `${variant.label}${suffix}: measured`, paired.pairs.length);
  const measured = await evaluatePairs(paired.pairs, {
    observer,
    people,
    ...(bench.keeps && { recordsPath: join(bench.work, `records${suffix}.jsonl`) }),
    onPair: (n) => line.at(n),
  });
  line.end();
  leftOut.push(...measured.leftOut.filter((l) => !leftOut.some((k) => k.name === l.name)));
  return { records: measured.records, leftOut, folder, ...(timePerFaceMs !== undefined && { timePerFaceMs }) };
}

/** The first key is the configured or a random one; the others are nobody's. */
function withKey(config: Config, key: number): Config {
  if (key === 1 || !config.sessionKey) return config;
  return { ...config, sessionKey: createHash('sha256').update(`${config.sessionKey} ${key}`).digest('hex') };
}

/** Pictures of other settings in the same folder would be taken for this run's. */
function claim(folder: string, config: Config, track: Variant['track']): void {
  mkdirSync(folder, { recursive: true });
  const path = join(folder, '.settings.json');
  const { sessionKey: _, ...shown } = config;
  const settings = JSON.stringify({ ...shown, analysis: track ?? {} });
  if (existsSync(path) && readFileSync(path, 'utf8') !== settings) {
    throw new UnderstudyError(
      ExitCode.usage,
      `${folder} holds pictures made with other settings`,
      'give another --work, or delete that folder',
    );
  }
  writeFileSync(path, settings);
}

async function attacked(variant: Variant, bench: Bench, first: Measured) {
  if (first.records.length === 0) return {};
  const { recognizers } = bench.observer.judges;
  const others: Measured[] = [];
  if (!variant.folder) for (let key = 2; key <= bench.keys; key++) others.push(await measure(variant, bench, key));
  const pixelMeans = new Map<string, Record<string, Float32Array>>();
  if (others.length > 0) {
    for (const record of first.records.filter((r) => !r.name.includes('#'))) {
      const paths = [first, ...others].map(({ folder }) => join(folder, `${record.name}.jpg`));
      if (!paths.every((p) => existsSync(p))) continue;
      const pictures = [];
      for (const path of paths) pictures.push(await readPicture(path));
      pixelMeans.set(record.name, await embedMean(pictures, record, recognizers));
    }
  }
  const gallery = await galleryRecords(bench);
  return runAttacks({
    records: first.records,
    ...(gallery.length > 0 && { gallery }),
    otherKeys: others.map((o) => o.records),
    ...(others.length > 0 && { pixelMeans }),
    recognizers,
  });
}

/** The gallery's originals, measured as pairs with themselves. */
async function galleryRecords({ gallery, observer, people, work, keeps, progress }: Bench) {
  if (gallery.length === 0) return [];
  const line = new CountLine(progress, 'gallery: measured', gallery.length);
  const pairs = gallery.map((f) => ({ original: f, anonymized: f }));
  const { records } = await evaluatePairs(pairs, {
    observer,
    people,
    ...(keeps && { recordsPath: join(work, 'records-gallery.jsonl') }),
    onPair: (n) => line.at(n),
  });
  line.end();
  return records;
}
