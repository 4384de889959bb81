import type { FaceRecord } from '../face-record.ts';
import type { RecognizerJudge } from '../judges/judges.ts';
import type { Embeddings } from '../measurer.ts';
import { ranks, type Similarity } from '../metrics/reidentification.ts';
import { bootstrapMean, bootstrapRate, mean } from '../metrics/statistics.ts';
import { meanEmbedding } from '../metrics/video.ts';
import type { People } from '../pairs.ts';
import type { AttackResult } from '../result.ts';
import { PICTURE_FEATURES, shapeFeatures } from './features.ts';
import type { KeyedOutput } from './keyed-output.ts';
import { learner } from './learner.ts';

export interface AttackInput {
  /** The outputs that are attacked. */
  readonly records: readonly FaceRecord[];
  /** Other pictures of the same people to search in; without them the very pictures that were anonymized. */
  readonly gallery?: readonly FaceRecord[];
  /** The same originals through the same program with other keys, the attacker's own; may be empty. */
  readonly otherKeys: readonly (readonly KeyedOutput[])[];
  /** Embeddings of the pixel mean over all keys, by record name and recognizer. */
  readonly pixelMeans?: ReadonlyMap<string, Embeddings>;
  readonly recognizers: readonly Pick<RecognizerJudge, 'key' | 'similarity'>[];
  /** Whose groups are known: gender, age band, ethnicity. */
  readonly people?: Pick<People, 'groupsOf'>;
}

/**
 * What somebody can find out who knows the program and has a key of his own, but not the one that was used. Values are
 * rank-1 of identification in the gallery of all originals (people who were trained on are never probes; what is trained on are
 * their outputs by all keys), but for `auc…` and `matchedAuc…`:
 * the probability that the true person's similarity is above another's, 0.5 when the output says nothing in either direction
 * (`matchedAuc…`: another's of the same groups).
 */
export function runAttacks(input: AttackInput): Record<string, AttackResult> {
  const { records, otherKeys, recognizers, gallery = records } = input;
  const results: Record<string, AttackResult> = {};
  const put = (name: string, result: AttackResult | undefined) => {
    if (result) results[name] = result;
  };
  const learn = learner(records, otherKeys.flat(), gallery);
  const shape = ({ points }: KeyedOutput) => points && shapeFeatures(points);
  put(
    'landmarkMetric',
    learn(shape, (r) => shapeFeatures(r.points.original)),
  );
  for (const [name, of] of PICTURE_FEATURES)
    put(
      name,
      learn(
        (o) => of(o.outputAlone),
        (r) => of(r.thumbs.original),
      ),
    );
  for (const judge of recognizers) {
    const known = records.filter((r) => r.embeddings[judge.key]);
    put(
      `trainedEmbedding${judge.key}`,
      learn(
        (o) => o.embeddings[judge.key],
        (r) => r.embeddings[judge.key]?.original,
      ),
    );
    const probes = [
      ...known.map((r) => ({ person: r.person, embedding: anonymized(r, judge) })),
      ...ofOtherKeys(input, judge),
    ];
    put(
      `auc${judge.key}`,
      auc(probes, () => gallery, judge),
    );
    if (input.people) {
      const alike = sameGroups(gallery, input.people);
      put(`matchedAuc${judge.key}`, auc(probes, alike, judge));
      put(`matchedGallery${judge.key}`, withinGroups(known, alike, judge));
    }
    for (const [name, result] of Object.entries(attacksOverKeys(input, known, gallery, judge))) put(name, result);
  }
  return results;
}

type Judge = Pick<RecognizerJudge, 'key' | 'similarity'>;

/** The same faces once more with every other key: one key's draw of 102 understudies decides the second digit. */
function ofOtherKeys({ records, otherKeys }: AttackInput, { key }: Judge): Template[] {
  const attacked = new Set(records.map((r) => r.name));
  return otherKeys.flat().flatMap(({ name, person, embeddings }) => {
    const embedding = embeddings[key];
    return embedding && attacked.has(name) ? [{ person, embedding }] : [];
  });
}

const anonymized = (record: FaceRecord, { key }: Judge) => record.embeddings[key]!.anonymized;

/** Attacks that need outputs made with several keys. */
function attacksOverKeys(
  { otherKeys, pixelMeans }: AttackInput,
  known: readonly FaceRecord[],
  gallery: readonly FaceRecord[],
  { key, similarity }: Judge,
): Record<string, AttackResult | undefined> {
  if (otherKeys.length === 0) return {};
  const byName = otherKeys.map((set) => new Map(set.map((r) => [r.name, r])));
  const originals = gallery.map((r) => ({ person: r.person, embedding: r.embeddings[key]!.original }));
  const averaged = known.map((r) => {
    const others = byName.flatMap((set) => set.get(r.name)?.embeddings[key] ?? []);
    return { person: r.person, embedding: meanEmbedding([r.embeddings[key]!.anonymized, ...others]) };
  });
  const mixed = known.flatMap((r) => {
    const embedding = pixelMeans?.get(r.name)?.[key];
    return embedding ? [{ person: r.person, embedding }] : [];
  });
  const count = otherKeys.length + 1;
  return {
    // The same as linking a person's understudies of two sessions.
    [`parrot${key}`]: parrot(known, byName, { key, similarity }),
    [`meanOf${count}Keys${key}`]: rankOne(averaged, originals, similarity),
    [`pixelMeanOf${count}Keys${key}`]: rankOne(mixed, originals, similarity),
  };
}

/** Searches each output among those that another key gave of everybody; the rate over all those keys. */
function parrot(
  known: readonly FaceRecord[],
  keys: readonly ReadonlyMap<string, KeyedOutput>[],
  judge: Judge,
): AttackResult | undefined {
  const searched = keys.flatMap((outputs) => {
    const probes = known.filter((r) => outputs.get(r.name)?.embeddings[judge.key]);
    const gallery = probes.map((r) => ({ person: r.person, embedding: outputs.get(r.name)!.embeddings[judge.key]! }));
    const own = probes.map((r) => ({ person: r.person, embedding: anonymized(r, judge) }));
    const found = gallery.length < 2 ? [] : ranks(own, gallery, judge.similarity);
    return found.map((rank, i) => ({ person: own[i]!.person, first: Number(rank === 1) }));
  });
  if (searched.length === 0) return undefined;
  return {
    ...bootstrapRate(
      searched.map((s) => s.first),
      searched.map((s) => s.person),
    ),
    chance: 1 / new Set(searched.map((s) => s.person)).size,
    n: searched.length,
  };
}

type Among = (record: { readonly person: string }) => readonly FaceRecord[];

/** The gallery's people of the same groups as a record's: nobody when none are known of him. */
function sameGroups(gallery: readonly FaceRecord[], people: Pick<People, 'groupsOf'>): Among {
  const groupOf = (r: { readonly person: string }) => JSON.stringify(people.groupsOf(r.person));
  return (r) => (groupOf(r) === '{}' ? [] : gallery.filter((g) => groupOf(g) === groupOf(r)));
}

/** Searches among people of the same groups only: what is left when sex, age and colour of skin are known anyway. */
function withinGroups(
  records: readonly FaceRecord[],
  amongOf: Among,
  { key, similarity }: Judge,
): AttackResult | undefined {
  const searched = records.flatMap((r) => {
    const among = amongOf(r);
    const size = new Set(among.map((g) => g.person)).size;
    if (size < 2 || !among.some((g) => g.person === r.person)) return [];
    const [rank] = ranks(
      [{ person: r.person, embedding: r.embeddings[key]!.anonymized }],
      among.map((g) => ({ person: g.person, embedding: g.embeddings[key]!.original })),
      similarity,
    );
    return [{ person: r.person, first: Number(rank === 1), chance: 1 / size }];
  });
  if (searched.length === 0) return undefined;
  return {
    ...bootstrapRate(
      searched.map((s) => s.first),
      searched.map((s) => s.person),
    ),
    chance: mean(searched.map((s) => s.chance)),
    n: searched.length,
  };
}

interface Template {
  readonly person: string;
  readonly embedding: Float32Array;
}

/** Who is not in the gallery is not searched for. */
export function rankOne(outputs: Template[], gallery: Template[], similarity: Similarity): AttackResult | undefined {
  const known = new Set(gallery.map((g) => g.person));
  const people = known.size;
  const probes = outputs.filter((p) => known.has(p.person));
  if (people < 2 || probes.length === 0) return undefined;
  const found = ranks(probes, gallery, similarity);
  return {
    ...bootstrapRate(
      found.map((r) => Number(r === 1)),
      probes.map((p) => p.person),
    ),
    chance: 1 / people,
    n: probes.length,
  };
}

function auc(probes: readonly Template[], amongOf: Among, { key, similarity }: Judge) {
  const above = probes.map((r) => {
    const gallery = amongOf(r);
    const scoreOf = (g: FaceRecord) => similarity(r.embedding, g.embeddings[key]!.original);
    const own = gallery.find((g) => g.person === r.person);
    const others = gallery.filter((g) => g.person !== r.person).map(scoreOf);
    if (!own || others.length === 0) return Number.NaN;
    const s = scoreOf(own);
    return mean(others.map((o) => (s > o ? 1 : s === o ? 0.5 : 0)));
  });
  if (!above.some(Number.isFinite)) return undefined;
  return {
    ...bootstrapMean(
      above,
      probes.map((r) => r.person),
    ),
    chance: 0.5,
    n: above.filter(Number.isFinite).length,
  };
}
