import type { Estimate } from '../metrics/statistics.ts';
import type { Rise, RuleOutcome } from '../photometry-rule.ts';

const NOTE = [
  '`≤`: on no face anything changed, and resampling what is the same everywhere gives an interval of no width. So many people',
  'cannot exclude a rise up to that exact bound (Clopper–Pearson, upper end of 95 %). The rule is judged by the paired',
  'bootstrap: "yes" beside such a cell says that no rise was seen, not that one beyond the limit is excluded. For that 736',
  'people without a change would be needed at 0.5 points, 122 at 3.',
].join(' ');

interface RuleRow {
  readonly parts: string;
  readonly rule?: RuleOutcome;
}

/**
 * Markdown: in brackets the 95 % intervals of a paired bootstrap over people, rises in points of 100; the rule looks at the
 * upper bounds of the rises and the estimate of the fall. Takes outcomes from JSON too, where NaN is null.
 */
export function ruleTable(rows: readonly RuleRow[]): string {
  const judged = rows.flatMap(({ parts, rule }) => (rule ? [{ parts, rule }] : []));
  const lines = judged.map(({ parts, rule }) => {
    const { accepted, rank1, cosine, siMseFall: fall, met, missing = [] } = rule;
    const cells = [
      cell(accepted, 100, 1),
      cell(rank1, 100, 1),
      cell(cosine, 1, 3),
      cell({ value: -fall.value, low: -fall.high, high: -fall.low }, 100, 0),
      met ? 'yes' : `no${missing.length > 0 ? ` (not measurable: ${missing.join('; ')})` : ''}`,
    ];
    return `| ${[parts, ...cells].join(' | ')} |`;
  });
  const head = '| against landmarks only | accepted, points | rank-1, points | cosine | Si-MSE, % | rule met |';
  const unchanged = judged.some(({ rule }) => [rule.accepted, rule.rank1].some((r) => r.exact !== undefined));
  return `${[head, '|---|---|---|---|---|---|', ...lines].join('\n')}\n${unchanged ? `\n${NOTE}\n` : ''}`;
}

function cell({ value, low, high, exact }: Rise | (Estimate & { exact?: undefined }), scale: number, digits: number) {
  if (!Number.isFinite(value)) return 'not measurable';
  const text = (v: number) => (Number.isFinite(v) ? `${v > 0 ? '+' : ''}${(scale * v).toFixed(digits)}` : '–');
  return `${text(value)} [${text(low)}, ${text(high)}]${exact === undefined ? '' : ` ≤ ${text(exact)}`}`;
}
