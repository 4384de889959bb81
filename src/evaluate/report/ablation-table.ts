import type { Scores } from '../score.ts';
import { PAPER_ABLATION } from './paper-tables.ts';

/** A row of the paper's table VI, or one of ours; without scores it could not be run, and `note` says why. */
export interface AblationRow {
  readonly parts: string;
  readonly note?: string;
  readonly scores?: Scores;
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

/** Markdown, since the same table goes to the terminal and into the documentation. */
export function ablationTable(rows: readonly AblationRow[]): string {
  const lines = [`| parts | ${COLUMNS.map((c) => c.head).join(' | ')} |`, `|---|${COLUMNS.map(() => '---|').join('')}`];
  for (const { parts, note, scores } of rows) {
    const cells = COLUMNS.map(({ metric, digits }) => scores?.[metric]?.value.toFixed(digits) ?? '–');
    lines.push(`| ${parts}${note ? ` (${note})` : ''} | ${cells.join(' | ')} |`);
  }
  for (const p of PAPER_ABLATION) {
    const cells = COLUMNS.map(
      ({ metric, digits }) =>
        (metric in p ? (p[metric as keyof typeof p] as number) : undefined)?.toFixed(digits) ?? '–',
    );
    lines.push(`| paper: ${p.parts} | ${cells.join(' | ')} |`);
  }
  return `${lines.join('\n')}\n`;
}
