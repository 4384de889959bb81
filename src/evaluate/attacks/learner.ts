import type { FaceRecord } from '../face-record.ts';
import type { AttackResult } from '../result.ts';
import { attackedOutput, type KeyedOutput } from './keyed-output.ts';
import { type Sample, trainedMatcher } from './trained-matcher.ts';

type Feature<T> = (of: T) => ArrayLike<number> | undefined;

/**
 * An attacker who makes outputs of the people he trains on with as many keys as he likes, and has the others' by the attacked
 * key alone. Outputs that lack a feature, and people who are not in the gallery, are neither learned from nor searched.
 * @param further outputs by keys of his own
 */
export function learner(
  records: readonly FaceRecord[],
  further: readonly KeyedOutput[],
  gallery: readonly FaceRecord[],
) {
  const attacked = records.map(attackedOutput);
  const known = new Map(gallery.map((g) => [g.person, g]));
  return (ofOutput: Feature<KeyedOutput>, ofOriginal: Feature<FaceRecord>): AttackResult | undefined => {
    const originals = new Map([...known].map(([person, record]) => [person, ofOriginal(record)]));
    const samples = (outputs: readonly KeyedOutput[]) =>
      outputs.flatMap((output): Sample[] => {
        const [probe, original] = [ofOutput(output), originals.get(output.person)];
        return probe && original ? [{ person: output.person, probe, gallery: original }] : [];
      });
    return trainedMatcher(samples(attacked), samples(further));
  };
}
