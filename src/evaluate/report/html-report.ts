import { METRICS, type MetricInfo } from '../face-record.ts';
import type { RecognizerJudge } from '../judges/judges.ts';
import { mean } from '../metrics/statistics.ts';
import type { People } from '../pairs.ts';
import type { EvaluationResult } from '../result.ts';
import type { Compared } from './comparison-table.ts';
import { contactSheet, worstFaces } from './contact-sheet.ts';
import { histogramPlot, similaritySets } from './histogram-plot.ts';
import { PAPER, PAPER_NOTE, type PaperRow } from './paper-tables.ts';
import { escapeHtml, paperSeries, radarPlot, radarSeries } from './radar-plot.ts';
import { SET_METRICS } from './terminal-table.ts';
import { videoTables } from './video-tables.ts';

const STYLE = `body{font:14px/1.45 system-ui,sans-serif;margin:2em auto;max-width:1080px;padding:0 1em;color:#222}
table{border-collapse:collapse;margin:.6em 0}td,th{padding:.15em .7em;text-align:right;border-bottom:1px solid #ddd}td:first-child,th:first-child{text-align:left}
.sheet{display:flex;flex-wrap:wrap;gap:6px}figure{margin:0}figcaption{font-size:10px}.note{background:#fff6dd;padding:.5em .8em}.bar{display:inline-block;height:.8em;background:#1f5fbf}`;

/** Metrics shown per group. */
const GROUP_METRICS = ['reidCosineA', 'poseError', 'expressionError', 'siMse', 'deltaE'] as const;

export interface ReportInput {
  readonly result: EvaluationResult;
  readonly recognizers: readonly Pick<RecognizerJudge, 'key' | 'name' | 'similarity'>[];
  readonly people: People;
  /** Further methods, from earlier runs' JSON. */
  readonly compared: readonly Compared[];
}

/** One file without references to anything outside. It holds the original faces. */
export function htmlReport({ result, recognizers, people, compared }: ReportInput): string {
  const { records, method, machine, leftOut, absent, attacks, thresholds } = result;
  const methods = [{ method, metrics: result.scores }, ...compared];
  const series = [...methods.map((m) => radarSeries(m.method, m.metrics)), paperSeries()];
  const histograms = recognizers
    .filter((j) => records.every((r) => r.embeddings[j.key]))
    .map(
      (j) =>
        `<h3>${escapeHtml(j.name)}</h3>${histogramPlot(similaritySets(records, j.key, j.similarity), thresholds[j.key]?.threshold)}`,
    );
  const attackRows = Object.entries(attacks).map(
    ([name, a]) =>
      `<tr><td>${name}</td><td>${number(a.value, 3)}</td><td>${number(a.low, 3)} – ${number(a.high, 3)}</td><td>${number(a.chance, 3)}</td></tr>`,
  );
  const sections = [
    `<h1>Understudy evaluation: ${escapeHtml(method)}</h1>`,
    `<p class="note">This file holds original faces. ${records.length} faces; ${escapeHtml(machine)}.</p>`,
    '<h2>Figures</h2>',
    metricTable(result),
    `<h2>Beside the paper</h2><p>${PAPER_NOTE}</p>`,
    paperTable(methods),
    radarPlot(series),
    ...(records.length > 0 ? [SIMILARITY_HEAD, ...histograms] : []),
    ...(attackRows.length > 0
      ? [
          `<h2>Attacks</h2><table><tr><th>attack</th><th>value</th><th>95 %</th><th>chance</th></tr>${attackRows.join('')}</table>`,
        ]
      : []),
    ...(result.videos.length > 0 ? [videoTables(result)] : []),
    ...(records.length > 0 ? pictureSections(result, people) : []),
    `<h2>Left out</h2><ul>${[...absent, ...leftOut.map((l) => `${l.name}: ${l.reason}`)].map((l) => `<li>${escapeHtml(l)}</li>`).join('') || '<li>nothing</li>'}</ul>`,
  ];
  return `<!doctype html><html lang="en"><meta charset="utf-8"><title>Understudy evaluation</title><style>${STYLE}</style>${sections.join('\n')}</html>\n`;
}

const SIMILARITY_HEAD =
  '<h2>Similarity</h2><p>Grey: different people. Green: two originals of one person. Red: original and anonymized. Dashed: threshold at FAR 1e-3.</p>';

function pictureSections(result: EvaluationResult, people: People): string[] {
  return [
    '<h2>Groups</h2>',
    groupBars(result, people),
    '<h2>Contact sheet</h2><p>Original, anonymized, difference (doubled).</p>',
    contactSheet(result.records),
    '<h2>Worst ten</h2>',
    worstFaces(result.records),
  ];
}

function number(v: number | undefined, digits: number): string {
  return v !== undefined && Number.isFinite(v) ? v.toFixed(digits) : '–';
}

function metricTable({ scores }: EvaluationResult): string {
  const infos: Record<string, MetricInfo> = { ...METRICS, ...SET_METRICS };
  const rows = Object.entries(infos).flatMap(([name, { label, digits, better }]) => {
    const s = scores[name];
    if (!s) return [];
    return `<tr><td>${escapeHtml(label)}</td><td>${number(s.value, digits)}</td><td>${number(s.low, digits)} – ${number(s.high, digits)}</td><td>${number(s.sd, digits)}</td><td>${s.n ?? ''}</td><td>${better}</td></tr>`;
  });
  return `<table><tr><th>metric</th><th>mean</th><th>95 % (over people)</th><th>sd</th><th>n</th><th>better</th></tr>${rows.join('')}</table>`;
}

const PAPER_COLUMNS: readonly (readonly [head: string, digits: number, ...metrics: (keyof PaperRow)[]])[] = [
  ['found', 3, 'detectionRate'],
  ['cosine', 3, 'reidCosineVgg', 'reidCosineCasia'],
  ['pose', 4, 'poseError'],
  ['expression', 4, 'expressionError'],
  ['expr. agreement', 3, 'expressionAgreement'],
  ['Si-MSE', 4, 'siMse'],
  ['Si-L2', 4, 'siL2'],
  ['ΔE', 2, 'deltaE'],
  ['ms a face', 0, 'timePerFaceMs'],
];

/** Ours by the judges that are nearest to the paper's: MTCNN and, where it could be asked, dlib's landmarks. */
function paperTable(methods: readonly Compared[]): string {
  const own = methods.map(({ method, metrics }) => {
    const v = (...names: string[]) => names.map((n) => metrics[n]?.value).find((x) => x !== undefined);
    return {
      method,
      values: {
        ...Object.fromEntries(Object.keys(metrics).map((name) => [name, v(name)])),
        detectionRate: v('detectionRateMtcnn', 'detectionRate'),
        reidCosineVgg: v('reidCosineA'),
        reidCosineCasia: v('reidCosineC'),
        poseError: v('poseErrorDlib', 'poseError'),
        expressionError: v('expressionErrorDlib', 'expressionError'),
      } as Record<string, number | undefined>,
    };
  });
  const rows = [
    ...own,
    ...PAPER.map(({ method, ...values }) => ({ method, values: values as Record<string, number> })),
  ];
  const line = (cells: string[], tag: 'td' | 'th') => `<tr>${cells.map((c) => `<${tag}>${c}</${tag}>`).join('')}</tr>`;
  const body = rows.map(({ method, values }) => {
    const cells = PAPER_COLUMNS.map(([, digits, ...names]) => names.map((n) => number(values[n], digits)).join(' / '));
    return line([escapeHtml(method), ...cells], 'td');
  });
  return `<table>${line(['method', ...PAPER_COLUMNS.map(([head]) => head)], 'th')}${body.join('')}</table>`;
}

function groupBars({ records }: EvaluationResult, people: People): string {
  const columns = new Set(records.flatMap((r) => Object.keys(people.groupsOf(r.person))));
  if (columns.size === 0) return '<p>No groups were given (--groups).</p>';
  const tables = [...columns].map((column) => {
    const values = [...new Set(records.map((r) => people.groupsOf(r.person)[column] ?? 'unknown'))].sort();
    const rows = values.map((value) => {
      const members = records.filter((r) => (people.groupsOf(r.person)[column] ?? 'unknown') === value);
      const cells = GROUP_METRICS.map((m) => {
        const v = mean(members.map((r) => r.values[m] ?? Number.NaN).filter(Number.isFinite));
        const peak = Math.max(...records.map((r) => r.values[m] ?? 0).filter(Number.isFinite));
        const bar = Number.isFinite(v)
          ? `<span class="bar" style="width:${((80 * Math.max(0, v)) / peak).toFixed(0)}px"></span>`
          : '';
        return `<td>${bar} ${number(v, METRICS[m].digits)}</td>`;
      });
      return `<tr><td>${escapeHtml(value)} (${members.length})</td>${cells.join('')}</tr>`;
    });
    const head = GROUP_METRICS.map((m) => `<th>${METRICS[m].label}</th>`).join('');
    return `<table><tr><th>${escapeHtml(column)}</th>${head}</tr>${rows.join('')}</table>`;
  });
  return tables.join('');
}
