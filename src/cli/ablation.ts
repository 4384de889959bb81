import { join } from 'node:path';
import { loadConfig } from '../config/loader.ts';
import type { FaceRecord } from '../evaluate/face-record.ts';
import { labelled, Measurements, unmeasurable } from '../evaluate/measurements.ts';
import { photometryRule } from '../evaluate/photometry-rule.ts';
import type { Ablation, AblationRun } from '../evaluate/report/ablation-report.ts';
import { meaningless } from '../evaluate/result.ts';
import { score } from '../evaluate/score.ts';
import { outputOf } from './anonymize-set.ts';
import { CountLine } from './count-line.ts';
import { type Bench, evaluateVariant } from './evaluate-variant.ts';
import { machineName } from './machine-name.ts';
import { pictureOf } from './measure-variant.ts';
import { workKey } from './work-state.ts';

/** The generator without photometry: what Si-MSE gains are counted from, and what is relit as the paper's text says. */
const BASE = 'landmarks only';

interface Setting {
  readonly parts: string;
  readonly note?: string;
  readonly sets?: readonly string[];
  readonly track?: Readonly<Record<string, unknown>>;
}

/** Table VI row by row, then what is ours alone. */
const SETTINGS: readonly Setting[] = [
  { parts: 'no landmarks', note: 'no such generator is trained' },
  {
    parts: 'landmarks only',
    sets: [
      'post.relight=false',
      'post.pyramid=false',
      'post.colour=false',
      'post.contrast=false',
      'post.sharpness=false',
      'post.features=false',
    ],
  },
  { parts: 'SfSNet + pyramid', note: "not reproducible: SfSNet's weights are not to be had" },
  { parts: 'intrinsic, no pyramid', sets: ['post.pyramid=false'] },
  { parts: 'full', sets: [] },
  { parts: 'full, no colour transfer', sets: ['post.colour=false'] },
  { parts: 'full, no contrast', sets: ['post.contrast=false'] },
  { parts: 'full, no sharpness', sets: ['post.sharpness=false'] },
  { parts: 'full, no drawn eyes and mouth', sets: ['post.features=false'] },
  {
    parts: 'full, bilateral as wide as run allows',
    sets: ['post.shading=bilateral', 'post.sigmaInterocular=0.4', 'post.sigmaRange=0.5'],
  },
  { parts: 'full, no retargeting', sets: [], track: { retargetCap: 0 } },
];

/**
 * Runs what can be run, all with one key, so that a face differs by the switched part alone.
 * @param sets settings of the user's, which all rows share
 * @throws UnderstudyError(noFace) when nothing could be compared in a row
 */
export async function runAblation(
  bench: Bench,
  configPath: string | undefined,
  sets: readonly string[],
): Promise<Ablation> {
  const rows: AblationRun[] = [];
  const judged = { recognizers: bench.measurer.recognizers, thresholds: bench.thresholds };
  let base: readonly FaceRecord[] = [];
  let absent: readonly string[] = [];
  const counts: number[] = [];
  for (const [i, setting] of SETTINGS.entries()) {
    const { parts, note, track } = setting;
    if (!setting.sets) {
      rows.push({ parts, ...(note && { note }), n: 0, leftOut: [], records: [] });
      continue;
    }
    const all = [...sets, ...setting.sets, 'mode=generate'];
    const config = loadConfig({ ...(configPath && { file: configPath }), sets: all, env: process.env });
    const keyed = { ...config, sessionKey: workKey(bench.home, config.sessionKey) };
    const work = join(bench.work, `ablation-${i + 1}`);
    const variant = { label: parts, config: keyed, ...(track && { track }) };
    const result = await evaluateVariant(variant, { ...bench, work, attack: false });
    const { records, tracks, scores, leftOut } = result;
    absent = result.absent;
    counts.push(records.length + tracks.length);
    const why = meaningless(result);
    const ran = { parts, scores, n: records.length + tracks.length, leftOut, records, ...(why && { why }) };
    if (parts !== BASE) {
      rows.push({ ...ran, rule: photometryRule(records, base, judged) });
      continue;
    }
    base = records;
    rows.push(ran);
    rows.push(await literalRow({ ...bench, work }, base, judged));
  }
  const ran = rows.filter((row) => row.scores);
  return {
    machine: machineName(),
    rows,
    n: Math.min(...counts),
    leftOut: ran.flatMap(({ parts, leftOut }) => labelled(parts, leftOut)),
    absent,
  };
}

type Judged = Parameters<typeof photometryRule>[2];

/** The base's outputs relit as the paper's text says; the pictures stay in memory. */
async function literalRow(bench: Bench, base: readonly FaceRecord[], judged: Judged): Promise<AblationRun> {
  const line = new CountLine(bench.progress, 'literal relighting: measured', base.length);
  const measurements = new Measurements<FaceRecord>((n) => line.at(n));
  const pictures = new Map(bench.originals.filter((f) => f.kind === 'picture').map((f) => [f.name, f]));
  for (const record of base) {
    measurements.add(record.name, async () => {
      const original = pictures.get(record.name);
      if (!original) throw unmeasurable(`further faces of ${pictureOf(record, pictures)} are not relit`);
      const pair = { original, anonymized: { ...original, path: outputOf(original, join(bench.work, 'anonymized')) } };
      return (await bench.measurer.literal(pair, record)).slice(0, 1);
    });
  }
  const { results: records, leftOut } = await measurements.finish();
  line.end();
  const asked = base.filter((r) => pictures.has(r.name)).length;
  const why = meaningless({ records, videos: [], asked });
  return {
    parts: 'landmarks + literal bilateral relighting',
    note: 'gives the person back; not in run',
    scores: score(records, judged),
    rule: photometryRule(records, base, judged),
    ...{ n: records.length, leftOut, records, ...(why && { why }) },
  };
}
