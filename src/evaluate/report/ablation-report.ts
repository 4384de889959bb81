import type { FaceRecord } from '../face-record.ts';
import type { LeftOut } from '../pairs.ts';
import { type AblationRow, ablationTable } from './ablation-table.ts';
import { contactSheet } from './contact-sheet.ts';
import { escapeHtml } from './radar-plot.ts';

/** A row with what it rests on. */
export interface AblationRun extends AblationRow {
  /** Faces and FaceTracks; 0 where nothing was run. */
  readonly n: number;
  readonly leftOut: readonly LeftOut[];
  readonly records: readonly FaceRecord[];
  /** Why its figures say nothing of the set that was asked about. */
  readonly why?: string;
}

/** All that an ablation found out, for every kind of report. */
export interface Ablation {
  readonly machine: string;
  readonly rows: readonly AblationRun[];
  /** Of the row with the fewest: the literal relighting, which is done to pictures' first faces only, aside. */
  readonly n: number;
  /** Of all rows, each name after its row's. */
  readonly leftOut: readonly LeftOut[];
  /** Judges that could not be asked, and why. */
  readonly absent: readonly string[];
}

/** The documented JSON: numbers and names only. NaN becomes null. */
export function ablationJson({ machine, rows, n, leftOut, absent }: Ablation) {
  const ablation = rows.map(({ records: _1, why: _2, ...row }) => row);
  return { machine, method: 'ablation', n, ablation, leftOut, absent };
}

/** For the terminal: the tables, and below them what is missing or was left out. */
export function ablationText({ rows, leftOut, absent }: Ablation): string {
  const lines = [
    ...(absent.length > 0 ? ['', ...absent.map((a) => `absent: ${a}`)] : []),
    ...(leftOut.length > 0
      ? ['', `${leftOut.length} left out:`, ...leftOut.map((l) => `  ${l.name}: ${l.reason}`)]
      : []),
  ];
  return `${ablationTable(rows)}${lines.map((l) => `${l}\n`).join('')}`;
}

const STYLE = `body{font:14px/1.45 system-ui,sans-serif;margin:2em auto;max-width:1280px;padding:0 1em;color:#222}
table{border-collapse:collapse;margin:.6em 0}td,th{padding:.15em .6em;text-align:right;border-bottom:1px solid #ddd}td:first-child,th:first-child{text-align:left}
.sheet{display:flex;flex-wrap:wrap;gap:6px}figure{margin:0}figcaption{font-size:10px}.note{background:#fff6dd;padding:.5em .8em}`;

/** One file without references to anything outside. @param faces whether it holds contact sheets, with the original faces */
export function ablationReport(ablation: Ablation, faces: boolean): string {
  const { machine, rows, n, leftOut, absent } = ablation;
  const sheets = rows
    .filter((row) => faces && row.records.length > 0)
    .map(({ parts, records, why }) => {
      const note = why ? `<p class="note">${escapeHtml(why)}</p>` : '';
      return `<h3>${escapeHtml(parts)} (${records.length})</h3>${note}${contactSheet(records)}`;
    });
  const missing = [...absent, ...leftOut.map((l) => `${l.name}: ${l.reason}`)];
  const sections = [
    '<h1>Understudy evaluation: ablation</h1>',
    `<p class="note">${faces ? 'This file holds original faces.' : 'Without pictures (--no-faces).'} ${n} faces and FaceTracks, in the row with the fewest; ${escapeHtml(machine)}.</p>`,
    tables(ablationTable(rows)),
    ...(faces ? ['<h2>Contact sheets</h2><p>Original, anonymized, difference (doubled).</p>', ...sheets] : []),
    `<h2>Left out</h2><ul>${missing.map((l) => `<li>${escapeHtml(l)}</li>`).join('') || '<li>nothing</li>'}</ul>`,
  ];
  return `<!doctype html><html lang="en"><meta charset="utf-8"><title>Understudy evaluation: ablation</title><style>${STYLE}</style>${sections.join('\n')}</html>\n`;
}

/** The Markdown tables, one after the other, as HTML: what the terminal and the documentation show is told once. */
function tables(markdown: string): string {
  const blocks = markdown.split(/\n{2,}/).filter((block) => block.startsWith('|'));
  return blocks
    .map((block) => {
      const [head, , ...rows] = block.trim().split('\n');
      return `<table>${line(head!, 'th')}${rows.map((row) => line(row, 'td')).join('')}</table>`;
    })
    .join('\n');
}

function line(row: string, tag: 'td' | 'th'): string {
  const cells = row.replace(/^\|\s*|\s*\|$/g, '').split(/\s*(?<!\\)\|\s*/);
  return `<tr>${cells.map((c) => `<${tag}>${escapeHtml(c.replaceAll('\\|', '|'))}</${tag}>`).join('')}</tr>`;
}
