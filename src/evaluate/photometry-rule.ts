import type { FaceRecord } from './face-record.ts';
import type { RecognizerInfo } from './measurer.ts';
import { ranks } from './metrics/reidentification.ts';
import { bootstrapMean, type Estimate, exactBoundOfNone, mean } from './metrics/statistics.ts';
import type { Thresholds } from './thresholds.ts';

/** What photometry may cost and must bring: rises are upper, the fall is an estimate (docs/photometry.md, "The rule"). */
const LIMITS = { accepted: 0.005, rank1: 0.03, cosine: 0.02, siMseFall: 0.2 };

/** A rise of a rate, in shares of the faces. */
export interface Rise extends Estimate {
  /**
   * Only where nothing changed on any face, so that resampling gives an interval of no width: the rise that so many people
   * cannot exclude (Clopper & Pearson 1934, upper end of 95 %).
   */
  readonly exact?: number;
}

/** Changes against the same generator without photometry, on the same faces. NaN is what could not be measured. */
export interface RuleOutcome {
  /** The recognizer that gains most, each. */
  readonly accepted: Rise;
  readonly rank1: Rise;
  /** Of the recognizers that are compared by cosine. */
  readonly cosine: Estimate;
  /** Share of the bare generator's Si-MSE that is gone. */
  readonly siMseFall: Estimate;
  /** Why something could not be measured: the rule is not met then. */
  readonly missing?: readonly string[];
  /** By the upper bounds of the paired bootstrap, as the design asks, whatever `exact` says. */
  readonly met: boolean;
}

/**
 * Judges photometry by what it gives away and what it brings.
 * @param records the outputs with photometry @param base the bare generator's faces, by the same key, of the same names
 */
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
  const rateRise = (after: readonly number[], before: readonly number[]): Rise => {
    const unchanged = after.every((v, i) => v === before[i]);
    return { ...rise(after, before), ...(unchanged && { exact: exactBoundOfNone(new Set(people).size) }) };
  };
  // One that is unknown may be the worst. Of equal bounds the larger estimate: no change before a fall.
  const worst = <T extends Estimate>(all: readonly T[]): T =>
    all.reduce((a, b) => {
      if (!Number.isFinite(a.high)) return a;
      return !Number.isFinite(b.high) || b.high > a.high || (b.high === a.high && b.value > a.value) ? b : a;
    });
  const missing: string[] = [];
  const judged = recognizers.map(({ key, name, similarity }) => {
    const own = (r: FaceRecord) => similarity(r.embeddings[key]!.original, r.embeddings[key]!.anonymized);
    const [after, before] = [paired.map((p) => own(p.after)), paired.map((p) => own(p.before))];
    const { threshold } = thresholds[key] ?? {};
    if (threshold === undefined) missing.push(`acceptance: there is no threshold for ${name}`);
    const accepted = (s: readonly number[]) =>
      s.map((v) => (threshold === undefined ? Number.NaN : Number(v >= threshold)));
    const first = (side: 'after' | 'before') => {
      const of = (what: 'original' | 'anonymized') =>
        paired.map((p) => ({ person: p[side].person, embedding: p[side].embeddings[key]![what] }));
      return ranks(of('anonymized'), of('original'), similarity).map((r) => Number(r === 1));
    };
    return {
      key,
      accepted: rateRise(accepted(after), accepted(before)),
      rank1: rateRise(first('after'), first('before')),
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
  if (!Number.isFinite(outcome.siMseFall.value)) missing.push('Si-MSE: no face has one');
  if (new Set(people).size < 2) missing.push('the bounds: fewer than two people');
  const met =
    missing.length === 0 &&
    outcome.accepted.high <= LIMITS.accepted &&
    outcome.rank1.high <= LIMITS.rank1 &&
    outcome.cosine.high <= LIMITS.cosine &&
    outcome.siMseFall.value >= LIMITS.siMseFall;
  return { ...outcome, ...(missing.length > 0 && { missing }), met };
}
