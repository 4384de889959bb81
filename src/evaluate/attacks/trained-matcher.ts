import { ranks } from '../metrics/reidentification.ts';
import { bootstrapRate } from '../metrics/statistics.ts';
import type { AttackResult } from '../result.ts';
import { centred, dot, gram, meanRow, principalAxes, solveSymmetric } from './linear-algebra.ts';

/** What an attacker holds of one face: from the output, and from the gallery of originals. */
export interface Sample {
  readonly person: string;
  readonly probe: ArrayLike<number>;
  readonly gallery: ArrayLike<number>;
}

const FOLDS = 5;
/** Axes of the gallery that are kept, of equal weight: identity is not in the largest differences alone. */
const AXES = [12, 32];
/** Ridge, as a share of the mean of the kernel's diagonal. */
const RIDGES = [0.1, 1, 10];
const MIN_PEOPLE = 10;

/**
 * Trains on pairs (output, original) of some people what the original's features are, and searches the outputs of others in
 * the gallery of all. Features are whitened on the training people's originals; the map is kernel ridge regression.
 * The attacker's best setting counts, the one without training among them.
 * @returns rank-1; undefined for fewer than ten people
 */
export function trainedMatcher(samples: readonly Sample[]): AttackResult | undefined {
  const people = [...new Set(samples.map((s) => s.person))];
  if (people.length < MIN_PEOPLE) return undefined;
  const foldOf = new Map(people.map((p, i) => [p, i % FOLDS]));
  let best: number[] = [];
  const consider = (ranked: number[]) => {
    if (firsts(ranked) > firsts(best)) best = ranked;
  };
  if (samples[0]!.probe.length === samples[0]!.gallery.length) consider(untrained(samples));
  for (const axes of AXES) {
    for (const ridge of RIDGES) {
      const ranked = new Array<number>(samples.length).fill(Number.NaN);
      for (let fold = 0; fold < FOLDS; fold++) {
        const test = samples.filter((s) => foldOf.get(s.person) === fold);
        const train = samples.filter((s) => foldOf.get(s.person) !== fold);
        const found = searchFold(train, test, samples, axes, ridge);
        test.forEach((s, i) => {
          ranked[samples.indexOf(s)] = found[i]!;
        });
      }
      consider(ranked);
    }
  }
  const who = samples.map((s) => s.person);
  return {
    ...bootstrapRate(
      best.map((r) => Number(r === 1)),
      who,
    ),
    chance: 1 / people.length,
  };
}

function firsts(ranked: readonly number[]): number {
  return ranked.filter((r) => r === 1).length;
}

function untrained(samples: readonly Sample[]): number[] {
  const mean = meanRow(samples.map((s) => s.gallery));
  const probeMean = meanRow(samples.map((s) => s.probe));
  return search(
    samples.map((s) => ({ person: s.person, vector: centred([s.probe], probeMean)[0]! })),
    samples.map((s) => ({ person: s.person, vector: centred([s.gallery], mean)[0]! })),
  );
}

function searchFold(
  train: readonly Sample[],
  test: readonly Sample[],
  all: readonly Sample[],
  axes: number,
  ridge: number,
) {
  const galleryMean = meanRow(train.map((s) => s.gallery));
  const probeMean = meanRow(train.map((s) => s.probe));
  const y = centred(
    train.map((s) => s.gallery),
    galleryMean,
  );
  const white = principalAxes(y, axes);
  const whiten = (row: Float64Array) =>
    Float64Array.from(white.axes, (axis, k) => dot(row, axis) / Math.sqrt(white.variances[k]! + 1e-12));
  const x = centred(
    train.map((s) => s.probe),
    probeMean,
  );
  const kernel = gram(x, x);
  const diagonal = kernel.reduce((sum, row, i) => sum + row[i]!, 0) / kernel.length;
  for (let i = 0; i < kernel.length; i++) kernel[i]![i]! += ridge * diagonal;
  const weights = solveSymmetric(kernel, y.map(whiten));
  const predict = (row: Float64Array) => {
    const out = new Float64Array(white.axes.length);
    x.forEach((known, i) => {
      const k = dot(known, row);
      for (let j = 0; j < out.length; j++) out[j]! += k * weights[i]![j]!;
    });
    return out;
  };
  return search(
    test.map((s) => ({ person: s.person, vector: predict(centred([s.probe], probeMean)[0]!) })),
    all.map((s) => ({ person: s.person, vector: whiten(centred([s.gallery], galleryMean)[0]!) })),
  );
}

interface Named {
  readonly person: string;
  readonly vector: Float64Array;
}

function search(probes: readonly Named[], gallery: readonly Named[]): number[] {
  const asEmbedding = ({ person, vector }: Named) => ({ person, embedding: Float32Array.from(vector) });
  return ranks(probes.map(asEmbedding), gallery.map(asEmbedding), (a, b) => {
    let [ab, aa, bb] = [0, 0, 0];
    for (let i = 0; i < a.length; i++) {
      ab += a[i]! * b[i]!;
      aa += a[i]! * a[i]!;
      bb += b[i]! * b[i]!;
    }
    return aa > 0 && bb > 0 ? ab / Math.sqrt(aa * bb) : 0;
  });
}
