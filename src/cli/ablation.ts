import { join } from 'node:path';
import { loadConfig } from '../config/loader.ts';
import { type AblationRow, ablationTable } from '../evaluate/report/ablation-table.ts';
import { type Bench, evaluateVariant } from './evaluate-variant.ts';

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
  }
  return ablationTable(rows);
}
