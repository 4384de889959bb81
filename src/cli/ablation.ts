import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { loadConfig } from '../config/loader.ts';
import type { FaceRecord } from '../evaluate/face-record.ts';
import { Measurements } from '../evaluate/measurements.ts';
import { photometryRule } from '../evaluate/photometry-rule.ts';
import type { AblationRow } from '../evaluate/report/ablation-table.ts';
import { score } from '../evaluate/score.ts';
import { outputOf } from './anonymize-set.ts';
import { CountLine } from './count-line.ts';
import { type Bench, evaluateVariant } from './evaluate-variant.ts';

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

/** Runs what can be run, all with one key, so that a face differs by the switched part alone. @param sets settings of the user's, which all rows share */
export async function runAblation(
  bench: Bench,
  configPath: string | undefined,
  sets: readonly string[],
): Promise<AblationRow[]> {
  const rows: AblationRow[] = [];
  const judged = { recognizers: bench.measurer.recognizers, thresholds: bench.thresholds };
  let base: readonly FaceRecord[] = [];
  const sessionKey = randomBytes(32).toString('hex');
  for (const [i, setting] of SETTINGS.entries()) {
    const { parts, note, track } = setting;
    if (!setting.sets) {
      rows.push({ parts, ...(note && { note }) });
      continue;
    }
    const all = [...sets, ...setting.sets, 'mode=generate'];
    const config = loadConfig({ ...(configPath && { file: configPath }), sets: all, env: process.env });
    const result = await evaluateVariant(
      {
        label: parts,
        config: { ...config, sessionKey: config.sessionKey ?? sessionKey },
        ...(track && { track }),
      },
      { ...bench, work: join(bench.work, `ablation-${i + 1}`), attack: false },
    );
    if (parts === BASE) {
      base = result.records;
      const relit = await literalRecords(bench, join(bench.work, `ablation-${i + 1}`, 'anonymized'), base);
      rows.push({ parts, scores: result.scores });
      rows.push({
        parts: 'landmarks + literal bilateral relighting',
        note: 'gives the person back; not in run',
        scores: score(relit, judged),
        rule: photometryRule(relit, base, judged),
      });
    } else rows.push({ parts, scores: result.scores, rule: photometryRule(result.records, base, judged) });
  }
  return rows;
}

/** The outputs in `folder` relit as the paper's text says; the pictures stay in memory. */
async function literalRecords(bench: Bench, folder: string, records: readonly FaceRecord[]): Promise<FaceRecord[]> {
  const line = new CountLine(bench.progress, 'literal relighting: measured', records.length);
  const measurements = new Measurements<FaceRecord>((n) => line.at(n));
  for (const record of records) {
    const original = bench.originals.find((f) => f.name === record.name);
    // Further faces of a picture are not relit.
    if (original?.kind !== 'picture') continue;
    const pair = { original, anonymized: { ...original, path: outputOf(original, folder) } };
    measurements.add(record.name, async () => (await bench.measurer.literal(pair, record)).slice(0, 1));
  }
  const { results } = await measurements.finish();
  line.end();
  return results;
}
