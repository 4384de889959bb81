import type { FaceRecord } from './face-record.ts';
import { frechetDistance } from './metrics/frechet-distance.ts';
import { kernelDistance } from './metrics/kernel-distance.ts';
import type { Scores } from './score.ts';

/** The net on whose features sets are compared: no other is taken in its place, since its name stands beside the figures. */
const FEATURES = { key: 'C', name: 'MobileFaceNet' } as const;

/**
 * KID and the Fréchet distance of originals and outputs on MobileFaceNet's embeddings, scaled to length √d.
 *
 * The Fréchet distance has no interval: in a draw of people with replacement only 63 % are different ones, and the fewer
 * they are the further the distance is biased upwards, so that the interval would lie above the value it belongs to.
 * @returns the figures, and what could not be measured with the reason
 */
export function setDistances(records: readonly FaceRecord[]): { scores: Scores; absent: string[] } {
  const known = records.filter((r) => r.embeddings[FEATURES.key]);
  if (known.length === 0)
    return { scores: {}, absent: [`KID and the Fréchet distance: there are no features, ${FEATURES.name} is missing`] };
  // The kernel expects features whose entries are about 1; embeddings have length 1.
  const unit = (e: Float32Array) => {
    const factor = Math.sqrt(e.length) / Math.hypot(...e);
    return e.map((v) => v * factor);
  };
  const [real, fake] = (['original', 'anonymized'] as const).map((side) =>
    known.map((r) => unit(r.embeddings[FEATURES.key]![side])),
  ) as [Float32Array[], Float32Array[]];
  const kid = kernelDistance(
    real,
    fake,
    known.map((r) => r.person),
  );
  const frechet = frechetDistance(real, fake);
  const scores: Scores = {
    ...(Number.isFinite(kid.value) && { kid: { ...kid, n: known.length } }),
    ...(Number.isFinite(frechet) && {
      frechet: { value: frechet, low: Number.NaN, high: Number.NaN, n: known.length },
    }),
  };
  const absent = scores.kid ? [] : ['KID: needs faces of two people'];
  absent.push(
    scores.frechet
      ? "the Fréchet distance's interval: resampled people are fewer different ones, and its bias grows with that"
      : `the Fréchet distance: ${known.length} faces, more than ${real[0]!.length} are needed`,
  );
  return { scores, absent };
}
