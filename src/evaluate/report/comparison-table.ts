import { METRICS, type MetricInfo } from '../face-record.ts';
import type { Scores } from '../score.ts';
import { PAPER } from './paper-tables.ts';
import { SET_METRICS } from './terminal-table.ts';

export interface Compared {
  readonly method: string;
  readonly metrics: Scores;
}

/** The paper's row under our names, at the judges nearest to its own: MTCNN and dlib's landmarks. */
function paperValues(): Record<string, number> {
  const {
    reidCosineVgg,
    reidCosineCasia,
    detectionRate,
    poseError,
    expressionError,
    method: _,
    ...same
  } = PAPER.at(-1)!;
  return {
    ...same,
    reidCosineA: reidCosineVgg,
    reidCosineC: reidCosineCasia,
    detectionRateMtcnn: detectionRate,
    poseErrorDlib: poseError,
    expressionErrorDlib: expressionError,
  };
}

/**
 * One metric a line, one method a column, the paper's own row last; Markdown, for the terminal and the documentation.
 * @param intervals how many of the first columns show their 95 % interval
 */
export function comparisonTable(methods: readonly Compared[], intervals = 0): string {
  const infos: Record<string, MetricInfo> = { ...METRICS, ...SET_METRICS };
  const paper = paperValues();
  const names = Object.keys(infos).filter((name) => methods.some((m) => typeof m.metrics[name]?.value === 'number'));
  const last = names.some((name) => name in paper) ? ' the paper |' : '';
  const heads = methods.map((m, i) => (i < intervals ? `${m.method} [95 %]` : m.method));
  const lines = [
    `| metric | ${heads.join(' | ')} |${last}`,
    `|---|${methods.map(() => '---|').join('')}${last && '---|'}`,
  ];
  for (const name of names) {
    const { label, digits } = infos[name]!;
    const cells = methods.map(({ metrics }, i) => {
      // A figure that JSON could not hold was not a number.
      const { value, low, high } = metrics[name] ?? {};
      if (typeof value !== 'number') return '–';
      const interval = i < intervals && typeof low === 'number' && typeof high === 'number';
      const text = value.toFixed(digits);
      return interval && Number.isFinite(low) ? `${text} [${low.toFixed(digits)}, ${high.toFixed(digits)}]` : text;
    });
    lines.push(
      `| ${label.replaceAll('|', '\\|')} | ${cells.join(' | ')} |${last && ` ${paper[name]?.toFixed(digits) ?? ''} |`}`,
    );
  }
  return `${lines.join('\n')}\n`;
}
