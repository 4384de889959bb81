import { type FaceRecord, METRICS } from './face-record.ts';
import type { RecognizerJudge } from './judges/judges.ts';
import { agreement } from './metrics/agreement.ts';
import { ranks } from './metrics/reidentification.ts';
import { suspectedCopy } from './metrics/si-mse.ts';
import {
  bootstrapMean,
  bootstrapRate,
  bootstrapStatistic,
  type Estimate,
  grouped,
  mean,
  quantile,
  standardDeviation,
} from './metrics/statistics.ts';
import type { Thresholds } from './thresholds.ts';

/** Shares of faces, which get the exact bound where nothing or everything happened; an error that is 0 on every face has none. */
const RATES = /^(detectionRate|suspectedCopies|reidTpr|rank[15])/;

export type Scores = Record<string, Estimate & { sd?: number; n?: number }>;

export interface ScoreOptions {
  readonly recognizers: readonly Pick<RecognizerJudge, 'key' | 'similarity'>[];
  readonly thresholds: Thresholds;
}

/** All figures of a set of faces. A metric that nobody could measure is absent. */
export function score(records: readonly FaceRecord[], options: ScoreOptions): Scores {
  const people = records.map((r) => r.person);
  const scores: Scores = {};
  const put = (name: string, values: readonly number[], who: readonly string[] = people) => {
    const finite = values.filter(Number.isFinite);
    if (finite.length > 0)
      scores[name] = {
        ...(RATES.test(name) ? bootstrapRate : bootstrapMean)(values, who),
        sd: standardDeviation(finite),
        n: finite.length,
      };
  };
  for (const name of Object.keys(METRICS))
    put(
      name,
      records.map((r) => r.values[name] ?? Number.NaN),
    );
  hardLight(records, put);
  expression(records, scores);
  for (const judge of options.recognizers) reidentification(records, judge, options.thresholds, put);
  return scores;
}

type Put = (name: string, values: readonly number[], who?: readonly string[]) => void;

/** Si-MSE where it is hardest: the quarter of the faces with the most one-sided light; and how often it is too good. */
function hardLight(records: readonly FaceRecord[], put: Put): void {
  const sided = records.filter((r) => Number.isFinite(r.values.lightAsymmetry));
  if (sided.length === 0) return;
  const limit = quantile(
    sided.map((r) => r.values.lightAsymmetry!),
    0.75,
  );
  const hard = sided.filter((r) => r.values.lightAsymmetry! >= limit);
  put(
    'siMseHardLight',
    hard.map((r) => r.values.siMse!),
    hard.map((r) => r.person),
  );
  put(
    'suspectedCopies',
    records.map((r) => Number(suspectedCopy(r.values.siMse))),
  );
}

/** The paper's accuracy, κ and macro average, and what the classifier says of the original moved by two pixels. */
function expression(records: readonly FaceRecord[], scores: Scores): void {
  const judged = records.filter((r) => r.expression[0] >= 0);
  const seen = judged.filter((r) => r.expression[1] >= 0);
  if (seen.length === 0) return;
  const same = (a: 0 | 1 | 2, b: 0 | 1 | 2, of: readonly FaceRecord[]) =>
    bootstrapRate(
      of.map((r) => Number(r.expression[a] === r.expression[b])),
      of.map((r) => r.person),
    );
  const people = grouped(
    seen.map((r) => r.expression),
    seen.map((r) => r.person),
  );
  scores.expressionAgreement = { ...same(0, 1, seen), n: seen.length };
  for (const [name, figure] of [
    ['expressionKappa', 'kappa'],
    ['expressionMacro', 'macro'],
  ] as const) {
    const estimate = bootstrapStatistic(people, (drawn) => {
      const labels = drawn.flat();
      return agreement(
        labels.map((l) => l[0]),
        labels.map((l) => l[1]),
      )[figure];
    });
    if (Number.isFinite(estimate.value)) scores[name] = { ...estimate, n: seen.length };
  }
  scores.expressionSelfAgreement = { ...same(0, 2, judged), n: judged.length };
}

function reidentification(
  records: readonly FaceRecord[],
  { key, similarity }: ScoreOptions['recognizers'][number],
  thresholds: Thresholds,
  put: Put,
): void {
  const known = records.filter((r) => r.embeddings[key]);
  if (known.length === 0) return;
  const who = known.map((r) => r.person);
  const own = known.map((r) => similarity(r.embeddings[key]!.original, r.embeddings[key]!.anonymized));
  for (const [point, name] of [
    [key, key],
    [`matched${key}`, `Matched${key}`],
  ] as const) {
    const { threshold } = thresholds[point] ?? {};
    if (threshold === undefined) continue;
    put(
      `reidTprAtFar1e3${name}`,
      own.map((s) => Number(s >= threshold)),
      who,
    );
  }
  if (new Set(who).size < 2) return;
  const gallery = known.map((r) => ({ person: r.person, embedding: r.embeddings[key]!.original }));
  const probes = known.map((r) => ({ person: r.person, embedding: r.embeddings[key]!.anonymized }));
  const found = ranks(probes, gallery, similarity);
  put(
    `rank1${key}`,
    found.map((rank) => Number(rank === 1)),
    who,
  );
  put(
    `rank5${key}`,
    found.map((rank) => Number(rank <= 5)),
    who,
  );
  // Too low is a trace as well: an attacker would look at the end of the list. 0.5 is chance.
  put(
    `relativeRank${key}`,
    found.map((rank) => (rank - 0.5) / new Set(who).size),
    who,
  );
  put(
    `outputSimilarity${key}`,
    probes.map((p, i) =>
      mean(probes.filter((q, j) => j !== i && q.person !== p.person).map((q) => similarity(p.embedding, q.embedding))),
    ),
    who,
  );
  put(
    `originalSimilarity${key}`,
    gallery.map((p, i) =>
      mean(gallery.filter((q, j) => j !== i && q.person !== p.person).map((q) => similarity(p.embedding, q.embedding))),
    ),
    who,
  );
}
