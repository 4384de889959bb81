import { type FaceRecord, METRICS } from '../face-record.ts';
import { mean } from '../metrics/statistics.ts';
import type { People } from '../pairs.ts';
import { escapeHtml } from './radar-plot.ts';

/** Metrics shown per group. */
const GROUP_METRICS = ['reidCosineA', 'poseError', 'expressionError', 'siMse', 'deltaE'] as const;

/** HTML: one table a column of the CSV, one line a group, means as bars on the scale of the largest face. */
export function groupBars(records: readonly FaceRecord[], people: Pick<People, 'groupsOf'>): string {
  const columns = new Set(records.flatMap((r) => Object.keys(people.groupsOf(r.person))));
  if (columns.size === 0) return '<p>No groups were given (--groups).</p>';
  const tables = [...columns].map((column) => {
    const values = [...new Set(records.map((r) => people.groupsOf(r.person)[column] ?? 'unknown'))].sort();
    const rows = values.map((value) => {
      const members = records.filter((r) => (people.groupsOf(r.person)[column] ?? 'unknown') === value);
      const cells = GROUP_METRICS.map((m) => {
        const v = mean(members.map((r) => r.values[m] ?? Number.NaN).filter(Number.isFinite));
        const peak = Math.max(1e-9, ...records.map((r) => r.values[m] ?? 0).filter(Number.isFinite));
        const bar = Number.isFinite(v)
          ? `<span class="bar" style="width:${((80 * Math.max(0, v)) / peak).toFixed(0)}px"></span>`
          : '';
        return `<td>${bar} ${Number.isFinite(v) ? v.toFixed(METRICS[m].digits) : '–'}</td>`;
      });
      return `<tr><td>${escapeHtml(value)} (${members.length})</td>${cells.join('')}</tr>`;
    });
    const head = GROUP_METRICS.map((m) => `<th>${METRICS[m].label}</th>`).join('');
    return `<table><tr><th>${escapeHtml(column)}</th>${head}</tr>${rows.join('')}</table>`;
  });
  return tables.join('');
}
