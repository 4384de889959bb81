import type { Estimate } from '../metrics/statistics.ts';
import type { RuleOutcome } from '../photometry-rule.ts';
import type { Scores } from '../score.ts';
import { nearestMetrics } from './nearest-judge.ts';
import { PAPER_ABLATION } from './paper-tables.ts';
import { ruleTable } from './rule-table.ts';

/** A row of the paper's table VI, or one of ours; without scores it could not be run, and `note` says why. */
export interface AblationRow {
  readonly parts: string;
  readonly note?: string;
  readonly scores?: Scores;
  readonly rule?: RuleOutcome;
}

/** By the names of the paper's rows, where it has one; `judges` in the order of `nearestMetrics`. */
interface Column {
  readonly head: string;
  readonly name: string;
  readonly digits: number;
  readonly judges?: readonly string[];
}

const COLUMNS: readonly Column[] = [
  { head: 'found', name: 'detectionRate', digits: 3, judges: ['MTCNN', 'runtime'] },
  { head: 'cosine A', name: 'reidCosineVgg', digits: 3 },
  { head: 'accepted A', name: 'reidTprAtFar1e3A', digits: 3 },
  { head: 'rank-1 A', name: 'rank1A', digits: 3 },
  { head: 'cosine C', name: 'reidCosineCasia', digits: 3 },
  { head: 'rank-1 C', name: 'rank1C', digits: 3 },
  { head: 'pose', name: 'poseError', digits: 4, judges: ['dlib', 'runtime'] },
  { head: 'expr.', name: 'expressionAgreement', digits: 3 },
  { head: 'Si-MSE', name: 'siMse', digits: 4 },
  { head: 'ΔE', name: 'deltaE', digits: 2 },
];

/** Shown when clips were among the originals. */
const VIDEO_COLUMNS: readonly Column[] = [
  { head: 'taken for the original', name: 'leakRate', digits: 3 },
  { head: 'found (video)', name: 'videoDetectionRate', digits: 3 },
  { head: 'correlation', name: 'temporalCorrelation', digits: 3 },
  { head: 'flicker ratio', name: 'flickerRatio', digits: 2 },
];

const COSINES = "The paper's cosines are by FaceNet: trained on VGGFace2 (below A) and on CASIA-WebFace (below C).";

/**
 * Markdown, since the same table goes to the terminal and into the documentation. Found and pose are by the paper's judges
 * where those could be asked, and the heads say by whom.
 */
export function ablationTable(rows: readonly AblationRow[]): string {
  const columns = [...COLUMNS, ...VIDEO_COLUMNS].flatMap((column) => {
    const nearest = nearestMetrics(column.name);
    const metric = nearest.find((m) => rows.some((r) => r.scores?.[m]));
    if (metric === undefined) return [];
    const judge = column.judges ? ` (${column.judges[nearest.indexOf(metric)]})` : '';
    return [{ ...column, metric, head: `${column.head}${judge}` }];
  });
  const light = columns.findIndex((c) => c.metric === 'siMse') + 1;
  const line = (parts: string, cells: string[]) => `| ${[parts, ...cells].join(' | ')} |`;
  const withGain = (cells: string[], gain: string) => (light > 0 ? cells.toSpliced(light, 0, gain) : cells);
  const heads = withGain(
    columns.map((c) => c.head),
    'its gain',
  );
  const lines = [line('parts', heads), `|${'---|'.repeat(heads.length + 1)}`];
  for (const { parts, note, scores, rule } of rows) {
    const cells = columns.map(({ metric, digits }) => scores?.[metric]?.value?.toFixed(digits) ?? '–');
    lines.push(line(`${parts}${note ? ` (${note})` : ''}`, withGain(cells, gainCell(rule?.siMseFall))));
  }
  if (light === 0) return `${lines.join('\n')}\n`;
  for (const { parts, ...paper } of PAPER_ABLATION) {
    const values: Record<string, number> = paper;
    const cells = columns.map(({ name, digits }) => values[name]?.toFixed(digits) ?? '–');
    lines.push(line(`paper: ${parts}`, withGain(cells, '')));
  }
  const cosines = columns.some(({ name }) => name.startsWith('reidCosine')) ? `\n${COSINES}\n` : '';
  return `${lines.join('\n')}\n${cosines}\n${ruleTable(rows)}`;
}

function gainCell(gain: Estimate | undefined): string {
  if (!gain || !Number.isFinite(gain.value)) return '–';
  const percent = (v: number) => `${(100 * v).toFixed(0)}`;
  return `${percent(gain.value)} % [${percent(gain.low)}, ${percent(gain.high)}]`;
}
