import { METRICS, type MetricInfo } from '../face-record.ts';
import { suspectedCopy } from '../metrics/si-mse.ts';
import type { EvaluationResult } from '../result.ts';
import type { Scores } from '../score.ts';
import { attackMark, attackNotes } from './attack-marks.ts';

/** Figures of FaceTracks, or of whole videos. */
const VIDEO_METRICS: Record<string, MetricInfo> = {
  coverage: { label: 'video: faces that were changed at all', better: 'higher', digits: 4 },
  uncoveredFrames: { label: 'video: frames with a face left as it was, sum', better: 'lower', digits: 0 },
  coverageMtcnn: { label: "video: MTCNN's finds that were changed", better: 'higher', digits: 4 },
  uncoveredMtcnn: { label: "video: MTCNN's finds left as they were, sum", better: 'lower', digits: 0 },
  leakCount: { label: 'video: outputs taken for the original, sum', better: 'lower', digits: 0 },
  leakRate: { label: 'video: outputs taken for the original', better: 'lower', digits: 4 },
  videoDetectionRate: { label: 'video: face found again', better: 'higher', digits: 3 },
  videoDetectionRateMtcnn: { label: 'video: face found again by MTCNN', better: 'higher', digits: 3 },
  temporalCorrelation: { label: 'video: landmark correlation over time', better: 'higher', digits: 3 },
  emotionAgreement: { label: 'video: emotion agreement', better: 'higher', digits: 3 },
  flickerOriginal: { label: 'video: flicker of the original, of 255', better: 'lower', digits: 2 },
  flickerAnonymized: { label: 'video: flicker of the output, of 255', better: 'lower', digits: 2 },
  flickerRatio: { label: "video: output's flicker over the original's", better: 'lower', digits: 2 },
  identitySteadiness: { label: 'video: steadiness of an identity', better: 'higher', digits: 3 },
  identitySteadinessOriginal: { label: "video: steadiness of the originals'", better: 'higher', digits: 3 },
  identitySeparation: { label: 'video: cosine between FaceTracks', better: 'lower', digits: 3 },
  identitySeparationOriginal: { label: 'video: cosine between original FaceTracks', better: 'lower', digits: 3 },
};

/** Figures of the whole set, beside the per-face means of `METRICS`. */
export const SET_METRICS: Record<string, MetricInfo> = {
  reidTprAtFar1e3A: { label: 'accepted as the original at FAR 1e-3, fr_feature', better: 'lower', digits: 3 },
  reidTprAtFar1e3B: { label: 'accepted as the original at FAR 1e-3, dlib', better: 'lower', digits: 3 },
  reidTprAtFar1e3C: { label: 'accepted as the original at FAR 1e-3, MobileFaceNet', better: 'lower', digits: 3 },
  reidTprAtFar1e3MatchedA: {
    label: 'the same at impostors of the same groups, fr_feature',
    better: 'lower',
    digits: 3,
  },
  reidTprAtFar1e3MatchedB: { label: 'the same at impostors of the same groups, dlib', better: 'lower', digits: 3 },
  reidTprAtFar1e3MatchedC: {
    label: 'the same at impostors of the same groups, MobileFaceNet',
    better: 'lower',
    digits: 3,
  },
  rank1A: { label: 'rank-1, fr_feature', better: 'lower', digits: 3 },
  rank1B: { label: 'rank-1, dlib', better: 'lower', digits: 3 },
  rank1C: { label: 'rank-1, MobileFaceNet', better: 'lower', digits: 3 },
  relativeRankA: { label: 'mean relative rank (0.5: chance), fr_feature', better: 'higher', digits: 3 },
  outputSimilarityA: { label: 'similarity between outputs, fr_feature', better: 'lower', digits: 3 },
  originalSimilarityA: { label: 'similarity between originals, fr_feature', better: 'lower', digits: 3 },
  expressionAgreement: { label: 'expression agreement', better: 'higher', digits: 3 },
  expressionKappa: { label: 'expression κ', better: 'higher', digits: 3 },
  expressionMacro: { label: 'expression macro-average', better: 'higher', digits: 3 },
  expressionSelfAgreement: { label: "the classifier's agreement with itself at 2 px", better: 'higher', digits: 3 },
  siMseHardLight: { label: 'Si-MSE, hard-light quarter', better: 'lower', digits: 4 },
  suspectedCopies: { label: 'Si-MSE below 0.006: suspected copying', better: 'lower', digits: 3 },
  frechet: { label: "Fréchet distance on MobileFaceNet's embeddings", better: 'lower', digits: 2 },
  kid: { label: "KID on MobileFaceNet's embeddings", better: 'lower', digits: 4 },
  ...VIDEO_METRICS,
  timePerFaceMs: { label: 'time per face without the search for it, ms', better: 'lower', digits: 0 },
};

/**
 * How many faces (FaceTracks, for a figure of videos) a figure rests on, when those are fewer than all: a rate of 1 over the
 * four faces that were found again is not one over a hundred.
 */
export function restsOn(
  name: string,
  scores: Scores,
  total: { readonly faces: number; readonly faceTracks: number },
): number | undefined {
  const n = scores[name]?.n;
  const all = name in VIDEO_METRICS ? total.faceTracks : total.faces;
  return typeof n === 'number' && n < all ? n : undefined;
}

/** Label, mean, interval and standard deviation, one metric a line; what is missing or left out is said below. */
export function scoreTable({
  machine,
  method,
  scores,
  records,
  tracks,
  leftOut,
  absent,
  attacks,
}: EvaluationResult): string {
  const lines = [`${method}: ${records.length} faces, ${tracks.length} FaceTracks, ${machine}`, ''];
  for (const [name, info] of Object.entries({ ...METRICS, ...SET_METRICS } as Record<string, MetricInfo>)) {
    const s = scores[name];
    if (!s) continue;
    const number = (v: number) => (Number.isFinite(v) ? v.toFixed(info.digits) : '–');
    const interval = Number.isFinite(s.low) ? `[${number(s.low)}, ${number(s.high)}]` : '';
    const spread = s.sd === undefined ? '' : `sd ${number(s.sd)}`;
    const fewer = restsOn(name, scores, { faces: records.length, faceTracks: tracks.length });
    const count = fewer === undefined ? '' : `n ${fewer}`;
    lines.push(
      `${info.label.padEnd(52)} ${number(s.value).padStart(8)}  ${interval.padEnd(18)} ${spread.padEnd(11)} ${count}`.trimEnd(),
    );
  }
  if (Object.keys(attacks).length > 0) lines.push('', 'attacks');
  for (const [name, a] of Object.entries(attacks)) {
    const interval = Number.isFinite(a.low) ? `[${a.low.toFixed(3)}, ${a.high.toFixed(3)}]` : '';
    lines.push(
      `${name.padEnd(52)} ${a.value.toFixed(3).padStart(8)}  ${interval.padEnd(18)} chance ${a.chance.toFixed(3)}  n ${a.n}  ${attackMark(name, a)}`.trimEnd(),
    );
  }
  lines.push(...attackNotes(attacks));
  const copies = records.filter((r) => suspectedCopy(r.values.siMse)).length;
  if (copies > 0)
    lines.push(
      '',
      `suspected copies: ${copies} of ${records.length} faces (suspectedCopy in the JSON, framed in the report)`,
    );
  if (absent.length > 0) lines.push('', ...absent.map((a) => `absent: ${a}`));
  if (leftOut.length > 0)
    lines.push('', `${leftOut.length} left out:`, ...leftOut.map((l) => `  ${l.name}: ${l.reason}`));
  return `${lines.join('\n')}\n`;
}
