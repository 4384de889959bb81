import { METRICS, type MetricInfo } from '../face-record.ts';
import type { RecognizerJudge } from '../judges/judges.ts';
import type { People } from '../pairs.ts';
import type { EvaluationResult } from '../result.ts';
import { attackMark, attackNotes } from './attack-marks.ts';
import type { Compared } from './comparison-table.ts';
import { contactSheet, suspectedNames, worstFaces } from './contact-sheet.ts';
import { groupBars } from './group-bars.ts';
import { histogramPlot, similaritySets } from './histogram-plot.ts';
import { paperComparison } from './paper-comparison.ts';
import { PAPER_NOTE } from './paper-tables.ts';
import { escapeHtml, paperSeries, radarPlot, radarSeries } from './radar-plot.ts';
import { SET_METRICS } from './terminal-table.ts';
import { videoTables } from './video-tables.ts';

const STYLE = `body{font:14px/1.45 system-ui,sans-serif;margin:2em auto;max-width:1080px;padding:0 1em;color:#222}
table{border-collapse:collapse;margin:.6em 0}td,th{padding:.15em .7em;text-align:right;border-bottom:1px solid #ddd}td:first-child,th:first-child{text-align:left}
.sheet{display:flex;flex-wrap:wrap;gap:6px}figure{margin:0}figcaption{font-size:10px}.note{background:#fff6dd;padding:.5em .8em}.bar{display:inline-block;height:.8em;background:#1f5fbf}
.suspect{outline:2px solid #c2452d}`;

export interface ReportInput {
  readonly result: EvaluationResult;
  readonly recognizers: readonly Pick<RecognizerJudge, 'key' | 'name' | 'similarity'>[];
  readonly people: Pick<People, 'groupsOf'>;
  /** Further methods, from earlier runs' JSON. */
  readonly compared: readonly Compared[];
  /** Whether to show faces, originals among them; without them the file holds no picture at all and may be passed on. */
  readonly faces: boolean;
}

/** One file without references to anything outside. With `faces` it holds originals, and says so. */
export function htmlReport({ result, recognizers, people, compared, faces }: ReportInput): string {
  const { records, method, machine, leftOut, absent, thresholds } = result;
  const methods = [{ method, metrics: result.scores }, ...compared];
  const histograms = recognizers
    .filter((j) => records.every((r) => r.embeddings[j.key]))
    .map(
      (j) =>
        `<h3>${escapeHtml(j.name)}</h3>${histogramPlot(similaritySets(records, j.key, j.similarity), thresholds[j.key]?.threshold)}`,
    );
  const holds = faces
    ? 'This file holds original faces.'
    : 'This file holds no pictures, neither originals nor outputs (--no-faces); it names files.';
  const sections = [
    `<h1>Understudy evaluation: ${escapeHtml(method)}</h1>`,
    `<p class="note">${holds} ${records.length} faces; ${escapeHtml(machine)}.</p>`,
    '<h2>Figures</h2>',
    metricTable(result),
    `<h2>Beside the paper</h2><p>${PAPER_NOTE}</p>`,
    paperComparison(methods),
    `<p>${RADAR_NOTE}</p>`,
    radarPlot([...radarSeries(methods), ...paperSeries()]),
    ...(records.length > 0 ? [SIMILARITY_HEAD, ...histograms] : []),
    ...attackSection(result),
    ...(result.videos.length > 0 ? [videoTables(result)] : []),
    ...(records.length > 0 ? faceSections(result, people, faces) : []),
    `<h2>Left out</h2><ul>${[...absent, ...leftOut.map((l) => `${l.name}: ${l.reason}`)].map((l) => `<li>${escapeHtml(l)}</li>`).join('') || '<li>nothing</li>'}</ul>`,
  ];
  return `<!doctype html><html lang="en"><meta charset="utf-8"><title>Understudy evaluation</title><style>${STYLE}</style>${sections.join('\n')}</html>\n`;
}

const RADAR_NOTE =
  "Further out is better; what is missing lies in the centre. Ours found by MTCNN and with the pose by dlib's points, as in the paper, unless a name says otherwise; cosine by fr_feature, the paper's by FaceNet (VGGFace2).";

const SIMILARITY_HEAD =
  '<h2>Similarity</h2><p>Grey: different people. Green: two originals of one person. Red: original and anonymized. Dashed: threshold at FAR 1e-3.</p>';

function attackSection({ attacks }: EvaluationResult): string[] {
  const rows = Object.entries(attacks).map(
    ([name, a]) =>
      `<tr><td>${name}</td><td>${number(a.value, 3)}</td><td>${interval(a, 3)}</td><td>${number(a.chance, 3)}</td><td>${a.n}</td><td>${attackMark(name, a)}</td></tr>`,
  );
  if (rows.length === 0) return [];
  const head = '<tr><th>attack</th><th>value</th><th>95 %</th><th>chance</th><th>n</th><th></th></tr>';
  return [`<h2>Attacks</h2><table>${head}${rows.join('')}</table>`, ...attackNotes(attacks).map((n) => `<p>${n}</p>`)];
}

function faceSections({ records }: EvaluationResult, people: ReportInput['people'], faces: boolean): string[] {
  return [
    '<h2>Groups</h2>',
    groupBars(records, people),
    '<h2>Suspected copies</h2>',
    suspectedNames(records),
    ...(faces
      ? [
          '<h2>Contact sheet</h2><p>Original, anonymized, difference (doubled). Framed: suspected copies.</p>',
          contactSheet(records),
        ]
      : []),
    '<h2>Worst ten</h2>',
    worstFaces(records, faces),
  ];
}

function number(v: number | undefined, digits: number): string {
  return v !== undefined && Number.isFinite(v) ? v.toFixed(digits) : '–';
}

function interval({ low, high }: { readonly low: number; readonly high: number }, digits: number): string {
  return Number.isFinite(low) ? `${number(low, digits)} – ${number(high, digits)}` : '–';
}

function metricTable({ scores }: EvaluationResult): string {
  const infos: Record<string, MetricInfo> = { ...METRICS, ...SET_METRICS };
  const rows = Object.entries(infos).flatMap(([name, { label, digits, better }]) => {
    const s = scores[name];
    if (!s) return [];
    return `<tr><td>${escapeHtml(label)}</td><td>${number(s.value, digits)}</td><td>${interval(s, digits)}</td><td>${number(s.sd, digits)}</td><td>${s.n ?? ''}</td><td>${better}</td></tr>`;
  });
  return `<table><tr><th>metric</th><th>mean</th><th>95 % (over people, of clips over videos)</th><th>sd</th><th>n</th><th>better</th></tr>${rows.join('')}</table>`;
}
