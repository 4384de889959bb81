import type { FaceRecord } from './face-record.ts';
import type { RecognizerInfo } from './measurer.ts';
import { ranks } from './metrics/reidentification.ts';
import { bootstrapMean, type Estimate, mean } from './metrics/statistics.ts';
import type { Thresholds } from './thresholds.ts';

/** What photometry may cost and must bring: rises are upper, the fall is an estimate (docs/photometry.md, "The rule"). */
const LIMITS = { accepted: 0.005, rank1: 0.03, cosine: 0.02, siMseFall: 0.2 };

/** Changes against the same generator without photometry, on the same faces. */
export interface RuleOutcome {
  /** The recognizer that gains most, each. */
  readonly accepted: Estimate;
  readonly rank1: Estimate;
  /** Of the recognizers that are compared by cosine. */
  readonly cosine: Estimate;
  /** Share of the bare generator's Si-MSE that is gone. */
  readonly siMseFall: Estimate;
  readonly met: boolean;
}

/** @param base the bare generator's faces, by the same key */
export function photometryRule(
  records: readonly FaceRecord[],
  base: readonly FaceRecord[],
  { recognizers, thresholds }: { recognizers: readonly RecognizerInfo[]; thresholds: Thresholds },
): RuleOutcome {
  const bare = new Map(base.map((r) => [r.name, r]));
  const paired = records.flatMap((r) => {
    const own = bare.get(r.name);
    return own ? [{ after: r, before: own }] : [];
  });
  const people = paired.map(({ after }) => after.person);
  const rise = (after: readonly number[], before: readonly number[]) =>
    bootstrapMean(
      after.map((v, i) => v - before[i]!),
      people,
    );
  const worst = (all: readonly Estimate[]) => all.reduce((a, b) => (b.high > a.high ? b : a));
  const judged = recognizers.map(({ key, similarity }) => {
    const own = (r: FaceRecord) => similarity(r.embeddings[key]!.original, r.embeddings[key]!.anonymized);
    const [after, before] = [paired.map((p) => own(p.after)), paired.map((p) => own(p.before))];
    const threshold = thresholds[key]?.threshold ?? Number.NaN;
    const accepted = (s: readonly number[]) => s.map((v) => Number(v >= threshold));
    const first = (side: 'after' | 'before') => {
      const of = (what: 'original' | 'anonymized') =>
        paired.map((p) => ({ person: p[side].person, embedding: p[side].embeddings[key]![what] }));
      return ranks(of('anonymized'), of('original'), similarity).map((r) => Number(r === 1));
    };
    return {
      key,
      accepted: rise(accepted(after), accepted(before)),
      rank1: rise(first('after'), first('before')),
      similarity: rise(after, before),
    };
  });
  const scale = mean(paired.map(({ before }) => before.values.siMse!).filter(Number.isFinite));
  const outcome = {
    accepted: worst(judged.map((j) => j.accepted)),
    rank1: worst(judged.map((j) => j.rank1)),
    cosine: worst(judged.filter((j) => j.key !== 'B').map((j) => j.similarity)),
    siMseFall: bootstrapMean(
      paired.map(({ after, before }) => (before.values.siMse! - after.values.siMse!) / scale),
      people,
    ),
  };
  const met =
    outcome.accepted.high <= LIMITS.accepted &&
    outcome.rank1.high <= LIMITS.rank1 &&
    outcome.cosine.high <= LIMITS.cosine &&
    outcome.siMseFall.value >= LIMITS.siMseFall;
  return { ...outcome, met };
}

/** Markdown: in brackets the 95 % intervals of a bootstrap over people; the rule looks at the upper bounds of the rises. */
export function ruleTable(rows: readonly { readonly parts: string; readonly rule?: RuleOutcome }[]): string {
  const cell = ({ value, low, high }: Estimate, scale: number, digits: number) => {
    const text = (v: number) => `${v > 0 ? '+' : ''}${(scale * v).toFixed(digits)}`;
    return `${text(value)} [${text(low)}, ${text(high)}]`;
  };
  const lines = rows.flatMap(({ parts, rule }) => {
    if (!rule) return [];
    const cells = [
      cell(rule.accepted, 100, 1),
      cell(rule.rank1, 100, 1),
      cell(rule.cosine, 1, 3),
      cell({ value: -rule.siMseFall.value, low: -rule.siMseFall.high, high: -rule.siMseFall.low }, 100, 0),
      rule.met ? 'yes' : 'no',
    ];
    return `| ${[parts, ...cells].join(' | ')} |`;
  });
  const head = '| against landmarks only | accepted, points | rank-1, points | cosine | Si-MSE, % | rule met |';
  return `${[head, '|---|---|---|---|---|---|', ...lines].join('\n')}\n`;
}
