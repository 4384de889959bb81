import type { FaceRecord } from '../../src/evaluate/face-record.ts';
import { seededRandom } from '../../src/evaluate/metrics/statistics.ts';

const THUMB = 64;

/** Measurements of one face as if somebody had made them; values may be overwritten. */
export function faceRecord(i: number, values: Readonly<Record<string, number>> = {}): FaceRecord {
  const random = seededRandom(100 + i);
  const vector = () => Float32Array.from({ length: 16 }, () => random() - 0.5);
  const thumb = () => Uint8Array.from({ length: THUMB * THUMB * 3 }, () => 255 * random());
  const name = `${String(i).padStart(3, '0')}_neutral`;
  return {
    name,
    person: name.slice(0, 3),
    values: {
      ...{ detectionRate: 1, detectionRateMtcnn: 1, poseError: 0.02 + 0.001 * i, expressionError: 0.02 },
      ...{ poseErrorDlib: 0.03 + 0.001 * i, reidCosineA: random() - 0.5, siMse: 0.01, deltaE: 5 + random() },
      ...{ mseL: 0.0076, mseAb: 0.0005 },
      ...values,
    },
    expression: [i % 2, i % 3 === 0 ? 1 : i % 2, i % 2],
    embeddings: {
      A: { original: vector(), anonymized: vector() },
      C: { original: vector(), anonymized: vector() },
    },
    points: { original: new Float32Array(136), anonymized: new Float32Array(136) },
    inPicture: new Float32Array(136),
    thumbs: { original: thumb(), anonymized: thumb(), outputAlone: thumb() },
  };
}
