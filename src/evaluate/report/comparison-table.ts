import { METRICS, type MetricInfo } from '../face-record.ts';
import type { Scores } from '../score.ts';
import { underOurNames } from './nearest-judge.ts';
import { OTHER_FORMULA, PAPER } from './paper-tables.ts';
import { restsOn, SET_METRICS } from './terminal-table.ts';

/** What a comparison needs of a result: evaluate's JSON is one. */
export interface Compared {
  readonly method: string;
  readonly metrics: Scores;
  /** Faces of pictures and FaceTracks together; without it nobody can tell whether a figure rests on fewer. */
  readonly n?: number;
  /** The FaceTracks among them. */
  readonly perFaceTrack?: readonly unknown[];
}

/**
 * One metric a line, one method a column, the paper's own row last; Markdown, for the terminal and the documentation. A cell
 * says `(n 4)` where only four of the method's faces (FaceTracks, for figures of videos) could be measured.
 * @param intervals how many of the first columns show their 95 % interval
 */
export function comparisonTable(methods: readonly Compared[], intervals = 0): string {
  const infos: Record<string, MetricInfo> = { ...METRICS, ...SET_METRICS };
  const paper = underOurNames(PAPER.at(-1)!);
  const names = Object.keys(infos).filter((name) => methods.some((m) => typeof m.metrics[name]?.value === 'number'));
  const last = names.some((name) => name in paper) ? ' the paper |' : '';
  const heads = methods.map((m, i) => (i < intervals ? `${m.method} [95 %]` : m.method));
  const lines = [
    `| metric | ${heads.join(' | ')} |${last}`,
    `|---|${methods.map(() => '---|').join('')}${last && '---|'}`,
  ];
  for (const name of names) {
    const { label, digits } = infos[name]!;
    const cells = methods.map((method, i) => {
      // A figure that JSON could not hold was not a number.
      const { value, low, high } = method.metrics[name] ?? {};
      if (typeof value !== 'number') return '–';
      const interval = i < intervals && typeof low === 'number' && typeof high === 'number' && Number.isFinite(low);
      const text = interval
        ? `${value.toFixed(digits)} [${low.toFixed(digits)}, ${high.toFixed(digits)}]`
        : value.toFixed(digits);
      const fewer = fewerThanAll(name, method);
      return fewer === undefined ? text : `${text} (n ${fewer})`;
    });
    const printed = paper[name] === undefined ? '' : `${paper[name].toFixed(digits)}${starred(name)}`;
    lines.push(`| ${label.replaceAll('|', '\\|')} | ${cells.join(' | ')} |${last && ` ${printed} |`}`);
  }
  return `${lines.join('\n')}\n`;
}

const starred = (name: string) => (OTHER_FORMULA.includes(name) ? '*' : '');

function fewerThanAll(name: string, { metrics, n, perFaceTrack = [] }: Compared): number | undefined {
  if (n === undefined) return undefined;
  return restsOn(name, metrics, { faces: n - perFaceTrack.length, faceTracks: perFaceTrack.length });
}
