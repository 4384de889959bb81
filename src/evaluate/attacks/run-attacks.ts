import type { FaceRecord } from '../face-record.ts';
import type { RecognizerJudge } from '../judges/judges.ts';
import { ranks, type Similarity } from '../metrics/reidentification.ts';
import { bootstrapMean, bootstrapRate, mean } from '../metrics/statistics.ts';
import { meanEmbedding } from '../metrics/video.ts';
import type { AttackResult } from '../result.ts';
import { colourGrid, shapeFeatures, thumbMask, tinyPicture } from './features.ts';
import { type Sample, trainedMatcher } from './trained-matcher.ts';

export interface AttackInput {
  /** The outputs that are attacked. */
  readonly records: readonly FaceRecord[];
  /** The same originals through the same program with other keys, the attacker's own among them; may be empty. */
  readonly otherKeys: readonly (readonly FaceRecord[])[];
  /** Embeddings of the pixel mean over all keys, by record name and recognizer. */
  readonly pixelMeans?: ReadonlyMap<string, Readonly<Record<string, Float32Array>>>;
  readonly recognizers: readonly Pick<RecognizerJudge, 'key' | 'similarity'>[];
}

/**
 * What somebody can find out who knows the program and has a key of his own, but not the one that was used. Values are
 * rank-1 of identification in the gallery of all originals (people who were trained on are never probes), but for `auc…`:
 * the probability that the true person's similarity is above another's, 0.5 when the output says nothing in either direction.
 */
export function runAttacks({ records, otherKeys, pixelMeans, recognizers }: AttackInput): Record<string, AttackResult> {
  const results: Record<string, AttackResult> = {};
  const put = (name: string, result: AttackResult | undefined) => {
    if (result) results[name] = result;
  };
  const found = records.filter((r) => r.points.anonymized);
  put(
    'landmarkMetric',
    trainedMatcher(
      found.map((r) => ({
        person: r.person,
        probe: shapeFeatures(r.points.anonymized!),
        gallery: shapeFeatures(r.points.original),
      })),
    ),
  );
  put('colourGrid', trainedMatcher(pictures(records, (r, side) => colourGrid(r.thumbs[side]))));
  put(
    'tinyPicture16',
    trainedMatcher(pictures(records, (r, side) => tinyPicture(r.thumbs[side], thumbMask(r, 'inside')))),
  );
  put(
    'contextOnlyControl',
    trainedMatcher(pictures(records, (r, side) => tinyPicture(r.thumbs[side], thumbMask(r, 'outside')))),
  );
  for (const { key, similarity } of recognizers) {
    const known = records.filter((r) => r.embeddings[key]);
    put(`trainedEmbedding${key}`, trainedMatcher(pictures(known, (r, side) => r.embeddings[key]![side])));
    put(`auc${key}`, auc(known, key, similarity));
    const [attackers] = otherKeys;
    if (!attackers) continue;
    const byName = otherKeys.map((set) => new Map(set.map((r) => [r.name, r])));
    const parrot = known.filter((r) => byName[0]!.has(r.name));
    put(
      `parrot${key}`,
      rankOne(
        parrot.map((r) => ({ person: r.person, embedding: r.embeddings[key]!.anonymized })),
        parrot.map((r) => ({ person: r.person, embedding: byName[0]!.get(r.name)!.embeddings[key]!.anonymized })),
        similarity,
      ),
    );
    const gallery = known.map((r) => ({ person: r.person, embedding: r.embeddings[key]!.original }));
    const averaged = known.map((r) => {
      const others = byName.flatMap((set) => set.get(r.name)?.embeddings[key]?.anonymized ?? []);
      return { person: r.person, embedding: meanEmbedding([r.embeddings[key]!.anonymized, ...others]) };
    });
    put(`meanOf${otherKeys.length + 1}Keys${key}`, rankOne(averaged, gallery, similarity));
    if (pixelMeans) {
      const mixed = known.flatMap((r) => {
        const embedding = pixelMeans.get(r.name)?.[key];
        return embedding ? [{ person: r.person, embedding }] : [];
      });
      put(`pixelMeanOf${otherKeys.length + 1}Keys${key}`, rankOne(mixed, gallery, similarity));
    }
  }
  return results;
}

function pictures(
  records: readonly FaceRecord[],
  feature: (record: FaceRecord, side: 'original' | 'anonymized') => ArrayLike<number>,
): Sample[] {
  return records.map((r) => ({
    person: r.person,
    probe: feature(r, 'anonymized'),
    gallery: feature(r, 'original'),
  }));
}

interface Template {
  readonly person: string;
  readonly embedding: Float32Array;
}

export function rankOne(probes: Template[], gallery: Template[], similarity: Similarity): AttackResult | undefined {
  const people = new Set(gallery.map((g) => g.person)).size;
  if (people < 2 || probes.length === 0) return undefined;
  const found = ranks(probes, gallery, similarity);
  return {
    ...bootstrapRate(
      found.map((r) => Number(r === 1)),
      probes.map((p) => p.person),
    ),
    chance: 1 / people,
  };
}

function auc(records: readonly FaceRecord[], key: string, similarity: Similarity): AttackResult | undefined {
  if (new Set(records.map((r) => r.person)).size < 2) return undefined;
  const above = records.map((r) => {
    const own = similarity(r.embeddings[key]!.anonymized, r.embeddings[key]!.original);
    const others = records.filter((o) => o.person !== r.person);
    return mean(
      others.map((o) => {
        const s = similarity(r.embeddings[key]!.anonymized, o.embeddings[key]!.original);
        return own > s ? 1 : own === s ? 0.5 : 0;
      }),
    );
  });
  return {
    ...bootstrapMean(
      above,
      records.map((r) => r.person),
    ),
    chance: 0.5,
  };
}
