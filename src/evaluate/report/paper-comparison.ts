import type { Compared } from './comparison-table.ts';
import { judgedBy, likeThePaper } from './nearest-judge.ts';
import { OTHER_FORMULA, PAPER, type PaperRow } from './paper-tables.ts';
import { escapeHtml } from './radar-plot.ts';

const COLUMNS: readonly (readonly [head: string, digits: number, ...metrics: (keyof PaperRow)[]])[] = [
  ['found', 3, 'detectionRate'],
  ['cosine', 3, 'reidCosineVgg', 'reidCosineCasia'],
  ['pose', 4, 'poseError'],
  ['expression', 4, 'expressionError'],
  ['expr. agreement', 3, 'expressionAgreement'],
  ['Si-MSE', 4, 'siMse'],
  ['Si-L2', 4, 'siL2'],
  ['MSE-L', 4, 'mseL'],
  ['MSE-ab', 4, 'mseAb'],
  ['ΔE', 2, 'deltaE'],
  ['ms a face', 0, 'timePerFaceMs'],
];

/** HTML: all methods above all rows of the paper's tables II–V. Ours by the judges that are nearest to the paper's. */
export function paperComparison(methods: readonly Compared[]): string {
  const line = (cells: string[], tag: 'td' | 'th') => `<tr>${cells.map((c) => `<${tag}>${c}</${tag}>`).join('')}</tr>`;
  const cell = (v: number | undefined, digits: number) =>
    v !== undefined && Number.isFinite(v) ? v.toFixed(digits) : '–';
  const shown = COLUMNS.flatMap(([, , ...names]) => names);
  const own = methods.map(({ method, metrics }) => {
    const like = likeThePaper(metrics);
    const cells = COLUMNS.map(([, digits, ...names]) => names.map((n) => cell(like.values[n], digits)).join(' / '));
    return line([escapeHtml(judgedBy(method, like, shown)), ...cells], 'td');
  });
  const paper = PAPER.map(({ method, ...values }) => {
    const cells = COLUMNS.map(([, digits, ...names]) =>
      names
        .map((n) => `${cell((values as Record<string, number>)[n], digits)}${OTHER_FORMULA.includes(n) ? '*' : ''}`)
        .join(' / '),
    );
    return line([method, ...cells], 'td');
  });
  return `<table>${line(['method', ...COLUMNS.map(([head]) => head)], 'th')}${own.join('')}${paper.join('')}</table>`;
}
