import { join } from 'node:path';
import { loadConfig } from '../config/loader.ts';
import { compareFaces } from '../evaluate/compare-faces.ts';
import type { FaceRecord } from '../evaluate/face-record.ts';
import { literalRelighting } from '../evaluate/literal-relighting.ts';
import { type AblationRow, ablationTable } from '../evaluate/report/ablation-table.ts';
import { type Scores, score } from '../evaluate/score.ts';
import { readPicture } from '../evaluate/y4m.ts';
import { CountLine } from './count-line.ts';
import { type Bench, evaluateVariant } from './evaluate-variant.ts';

/** The row whose outputs are also relit as the paper's text says. */
const LITERAL_BASE = 'landmarks only';

interface Setting {
  readonly parts: string;
  readonly note?: string;
  readonly sets?: readonly string[];
  readonly track?: Readonly<Record<string, unknown>>;
}

/** Table VI row by row, then what is ours alone. */
const SETTINGS: readonly Setting[] = [
  { parts: 'no landmarks', note: 'no such generator is trained' },
  { parts: 'landmarks only', sets: ['post.relight=false', 'post.pyramid=false', 'post.colour=false'] },
  { parts: 'SfSNet + pyramid', note: "not reproducible: SfSNet's weights are not to be had" },
  { parts: 'intrinsic, no pyramid', sets: ['post.pyramid=false'] },
  { parts: 'full', sets: [] },
  { parts: 'full, no colour transfer', sets: ['post.colour=false'] },
  {
    parts: 'full, bilateral as wide as run allows',
    sets: ['post.shading=bilateral', 'post.sigmaInterocular=0.4', 'post.sigmaRange=0.5'],
  },
  { parts: 'full, no retargeting', sets: [], track: { retargetCap: 0 } },
];

/** Runs what can be run and prints the table. @param sets settings of the user's, which all rows share */
export async function runAblation(
  bench: Bench,
  configPath: string | undefined,
  sets: readonly string[],
): Promise<string> {
  const rows: AblationRow[] = [];
  for (const [i, setting] of SETTINGS.entries()) {
    const { parts, note, track } = setting;
    if (!setting.sets) {
      rows.push({ parts, ...(note && { note }) });
      continue;
    }
    const all = [...sets, ...setting.sets, 'mode=generate'];
    const result = await evaluateVariant(
      {
        label: parts,
        config: loadConfig({ ...(configPath && { file: configPath }), sets: all, env: process.env }),
        run: { ...(configPath && { configPath }), sets: all },
        ...(track && { track }),
      },
      { ...bench, work: join(bench.work, `ablation-${i + 1}`), attack: false },
    );
    rows.push({ parts, scores: result.scores });
    if (parts === LITERAL_BASE) {
      const scores = await scoreLiteral(bench, join(bench.work, `ablation-${i + 1}`, 'anonymized'), result.records);
      rows.push({
        parts: 'landmarks + literal bilateral relighting',
        note: 'gives the person back; not in run',
        scores,
      });
    }
  }
  return ablationTable(rows);
}

/** Relights the outputs in `folder` as the paper's text says and scores the pictures, which stay in memory. */
async function scoreLiteral(bench: Bench, folder: string, records: readonly FaceRecord[]): Promise<Scores> {
  const relit: FaceRecord[] = [];
  const line = new CountLine(bench.progress, 'literal relighting: measured', records.length);
  for (const [i, record] of records.entries()) {
    const file = bench.originals.find((f) => f.name === record.name);
    // Further faces of a picture are measured together with its first one.
    if (!file) continue;
    const original = await readPicture(file.path);
    const output = await readPicture(join(folder, `${record.name}.jpg`));
    const anonymized = literalRelighting(original, output, record.inPicture);
    const [first] = await compareFaces(bench.observer, record.name, record.person, { original, anonymized });
    if (first) relit.push(first);
    line.at(i + 1);
  }
  line.end();
  return score(relit, { recognizers: bench.observer.judges.recognizers, thresholds: bench.thresholds });
}
