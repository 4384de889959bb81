import type { Estimate } from '../metrics/statistics.ts';
import type { RuleOutcome } from '../photometry-rule.ts';
import type { Scores } from '../score.ts';
import { PAPER_ABLATION } from './paper-tables.ts';
import { ruleTable } from './rule-table.ts';

/** A row of the paper's table VI, or one of ours; without scores it could not be run, and `note` says why. */
export interface AblationRow {
  readonly parts: string;
  readonly note?: string;
  readonly scores?: Scores;
  readonly rule?: RuleOutcome;
}

const COLUMNS = [
  { head: 'found', metric: 'detectionRate', digits: 3 },
  { head: 'cosine A', metric: 'reidCosineA', digits: 3 },
  { head: 'accepted A', metric: 'reidTprAtFar1e3A', digits: 3 },
  { head: 'rank-1 A', metric: 'rank1A', digits: 3 },
  { head: 'cosine C', metric: 'reidCosineC', digits: 3 },
  { head: 'rank-1 C', metric: 'rank1C', digits: 3 },
  { head: 'pose', metric: 'poseError', digits: 4 },
  { head: 'expr.', metric: 'expressionAgreement', digits: 3 },
  { head: 'Si-MSE', metric: 'siMse', digits: 4 },
  { head: 'ΔE', metric: 'deltaE', digits: 2 },
] as const;

/** Shown when clips were among the originals. */
const VIDEO_COLUMNS = [
  { head: 'taken for the original', metric: 'leakRate', digits: 3 },
  { head: 'found (video)', metric: 'videoDetectionRate', digits: 3 },
  { head: 'correlation', metric: 'temporalCorrelation', digits: 3 },
  { head: 'flicker ratio', metric: 'flickerRatio', digits: 2 },
] as const;

/** Markdown, since the same table goes to the terminal and into the documentation. */
export function ablationTable(rows: readonly AblationRow[]): string {
  const columns = [...COLUMNS, ...VIDEO_COLUMNS].filter(({ metric }) => rows.some((r) => r.scores?.[metric]));
  const light = columns.findIndex((c) => c.metric === 'siMse') + 1;
  const line = (parts: string, cells: string[]) => `| ${[parts, ...cells].join(' | ')} |`;
  const withGain = (cells: string[], gain: string) => (light > 0 ? cells.toSpliced(light, 0, gain) : cells);
  const heads = withGain(
    columns.map((c) => c.head),
    'its gain',
  );
  const lines = [line('parts', heads), `|${'---|'.repeat(heads.length + 1)}`];
  for (const { parts, note, scores, rule } of rows) {
    const cells = columns.map(({ metric, digits }) => scores?.[metric]?.value.toFixed(digits) ?? '–');
    lines.push(line(`${parts}${note ? ` (${note})` : ''}`, withGain(cells, gainCell(rule?.siMseFall))));
  }
  if (light === 0) return `${lines.join('\n')}\n`;
  for (const { parts, ...paper } of PAPER_ABLATION) {
    const values: Record<string, number> = paper;
    const cells = columns.map(({ metric, digits }) => values[metric]?.toFixed(digits) ?? '–');
    lines.push(line(`paper: ${parts}`, withGain(cells, '')));
  }
  return `${lines.join('\n')}\n\n${ruleTable(rows)}`;
}

function gainCell(gain: Estimate | undefined): string {
  if (!gain || !Number.isFinite(gain.value)) return '–';
  const percent = (v: number) => `${(100 * v).toFixed(0)}`;
  return `${percent(gain.value)} % [${percent(gain.low)}, ${percent(gain.high)}]`;
}
