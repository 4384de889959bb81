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
/** What is left of a feature that is the same for everybody, after its mean: rounding. */
const NOTHING = 1e-9;

/**
 * Trains on pairs (output, original) of some people what the original's features are, and searches the outputs of others in
 * the gallery of all. Features are whitened on the training people's originals; the map is kernel ridge regression.
 * The attacker's best setting counts, those that learn from the attacked key's outputs alone and the one without training
 * among them.
 * @param samples the attacked outputs; those of people who are not trained on are the probes
 * @param further outputs by keys of the attacker's own, to learn from only, any number a person
 * @returns rank-1; undefined for fewer than ten people
 */
export function trainedMatcher(samples: readonly Sample[], further: readonly Sample[] = []): AttackResult | undefined {
  const people = [...new Set(samples.map((s) => s.person))];
  if (people.length < MIN_PEOPLE) return undefined;
  const foldOf = new Map(people.map((p, i) => [p, i % FOLDS]));
  let best: number[] | undefined;
  const consider = (ranked: number[]) => {
    if (!best || firsts(ranked) > firsts(best)) best = ranked;
  };
  if (samples[0]!.probe.length === samples[0]!.gallery.length) consider(untrained(samples));
  const folds = Array.from({ length: FOLDS }, (_, fold): Fold => {
    const isTest = ({ person }: Sample) => foldOf.get(person) === fold;
    return {
      test: samples.flatMap((sample, place) => (isTest(sample) ? [{ sample, place }] : [])),
      train: samples.filter((s) => !isTest(s)),
      further: further.filter((s) => !isTest(s)),
    };
  });
  for (const ranked of allSettings(folds, samples, further.length > 0 ? [false, true] : [false])) consider(ranked);
  return {
    ...bootstrapRate(
      best!.map((r) => Number(r === 1)),
      samples.map((s) => s.person),
    ),
    chance: 1 / people.length,
    n: samples.length,
  };
}

interface Fold {
  readonly test: readonly { readonly sample: Sample; readonly place: number }[];
  /** The other people's outputs by the attacked key, and by further ones. */
  readonly train: readonly Sample[];
  readonly further: readonly Sample[];
}

/** Ranks of all samples, by each setting. @param withFurther whether to learn from the further outputs, each */
function allSettings(folds: readonly Fold[], all: readonly Sample[], withFurther: readonly boolean[]): number[][] {
  const settings = withFurther.flatMap((more) => AXES.map((axes) => ({ more, axes })));
  return settings.flatMap(({ more, axes }) => {
    const ranked = RIDGES.map(() => new Array<number>(all.length).fill(Number.NaN));
    for (const { test, train, further } of folds) {
      const probes = test.map((t) => t.sample);
      const space = galleryAxes(train, axes);
      const found = learnt(more ? [...train, ...further] : train, probes, { space, all });
      for (const [r, ranks] of found.entries())
        test.forEach(({ place }, i) => {
          ranked[r]![place] = ranks[i]!;
        });
    }
    return ranked;
  });
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

/** To a gallery's own axes, each of variance 1 over the people trained on: one original each, however many outputs. */
type Whiten = (gallery: ArrayLike<number>) => Float64Array;

function galleryAxes(train: readonly Sample[], axes: number): Whiten {
  const rows = train.map((s) => s.gallery);
  const mean = meanRow(rows);
  const white = principalAxes(centred(rows, mean), axes);
  return (gallery) => {
    const [row] = centred([gallery], mean);
    return Float64Array.from(white.axes, (axis, k) => dot(row!, axis) / Math.sqrt(white.variances[k]! + 1e-12));
  };
}

/** @returns the ranks of `probes` among `all`, for each of RIDGES */
function learnt(
  train: readonly Sample[],
  probes: readonly Sample[],
  { space, all }: { space: Whiten; all: readonly Sample[] },
): number[][] {
  const mean = meanRow(train.map((s) => s.probe));
  const x = centred(
    train.map((s) => s.probe),
    mean,
  );
  const targets = train.map((s) => space(s.gallery));
  const gallery = all.map((s) => ({ person: s.person, vector: space(s.gallery) }));
  const kernel = gram(x, x);
  const diagonal = kernel.reduce((sum, row, i) => sum + row[i]!, 0) / kernel.length;
  const asked = gram(
    centred(
      probes.map((s) => s.probe),
      mean,
    ),
    x,
  );
  return RIDGES.map((ridge) => {
    const weights = solveSymmetric(
      kernel.map((row, i) => row.with(i, row[i]! + ridge * diagonal)),
      targets,
    );
    const predict = (likeness: Float64Array) => {
      const out = new Float64Array(targets[0]!.length);
      likeness.forEach((k, i) => {
        for (let j = 0; j < out.length; j++) out[j]! += k * weights[i]![j]!;
      });
      return out;
    };
    return search(
      probes.map((s, i) => ({ person: s.person, vector: predict(asked[i]!) })),
      gallery,
    );
  });
}

interface Named {
  readonly person: string;
  readonly vector: Float64Array;
}

/** Ranks of probes by cosine; NaN for one that is like everybody's: nobody is found by what tells nothing, though all are as near. */
function search(probes: readonly Named[], gallery: readonly Named[]): number[] {
  const asEmbedding = ({ person, vector }: Named) => ({ person, embedding: Float32Array.from(vector) });
  const found = ranks(probes.map(asEmbedding), gallery.map(asEmbedding), (a, b) => {
    let [ab, aa, bb] = [0, 0, 0];
    for (let i = 0; i < a.length; i++) {
      ab += a[i]! * b[i]!;
      aa += a[i]! * a[i]!;
      bb += b[i]! * b[i]!;
    }
    return aa > 0 && bb > 0 ? ab / Math.sqrt(aa * bb) : 0;
  });
  return found.map((rank, i) => (probes[i]!.vector.every((v) => Math.abs(v) < NOTHING) ? Number.NaN : rank));
}
