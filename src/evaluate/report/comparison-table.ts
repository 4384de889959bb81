import { METRICS, type MetricInfo } from '../face-record.ts';
import type { Scores } from '../score.ts';
import { PAPER } from './paper-tables.ts';
import { SET_METRICS } from './terminal-table.ts';

export interface Compared {
  readonly method: string;
  readonly metrics: Scores;
}

/** One metric a line, one method a column, the paper's own row last; Markdown, for the terminal and the documentation. */
export function comparisonTable(methods: readonly Compared[]): string {
  const infos: Record<string, MetricInfo> = { ...METRICS, ...SET_METRICS };
  const paper = { ...PAPER.at(-1)! } as unknown as Record<string, number>;
  paper.reidCosineA = paper.reidCosineVgg!;
  paper.reidCosineC = paper.reidCosineCasia!;
  const lines = [
    `| metric | ${methods.map((m) => m.method).join(' | ')} | the paper |`,
    `|---|${methods.map(() => '---|').join('')}---|`,
  ];
  for (const [name, { label, digits }] of Object.entries(infos)) {
    // A figure that JSON could not hold was not a number.
    const cells = methods.map((m) => m.metrics[name]?.value?.toFixed(digits) ?? '–');
    if (cells.every((c) => c === '–')) continue;
    lines.push(`| ${label} | ${cells.join(' | ')} | ${paper[name]?.toFixed(digits) ?? ''} |`);
  }
  return `${lines.join('\n')}\n`;
}
