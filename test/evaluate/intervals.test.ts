import { describe, expect, it } from 'vitest';
import { scoreVideos } from '../../src/evaluate/evaluate-videos.ts';
import type { FaceRecord } from '../../src/evaluate/face-record.ts';
import { score } from '../../src/evaluate/score.ts';
import type { VideoResult, VideoTrack } from '../../src/evaluate/video-tracks.ts';

type Labels = readonly [number, number, number];

const judged = (labels: readonly Labels[], perPerson = 1): FaceRecord[] =>
  labels.map(
    (expression, i) =>
      ({
        name: `f${i}`,
        person: `p${Math.floor(i / perPerson)}`,
        values: {},
        expression,
        embeddings: {},
      }) as unknown as FaceRecord,
  );
const scored = (records: readonly FaceRecord[]) => score(records, { recognizers: [], thresholds: {} });

/** Cohen's worked example: 20 and 15 agree, 5 and 10 do not; κ 0.4, macro-average 0.7. */
const COHEN: Labels[] = [
  ...Array<Labels>(20).fill([0, 0, 0]),
  ...Array<Labels>(5).fill([0, 1, 0]),
  ...Array<Labels>(10).fill([1, 0, 1]),
  ...Array<Labels>(15).fill([1, 1, 1]),
];

describe('expression agreement', () => {
  it('gives κ and the macro-average an interval over people', () => {
    const { expressionKappa: kappa, expressionMacro: macro } = scored(judged(COHEN));
    expect(kappa!.value).toBeCloseTo(0.4, 9);
    // The asymptotic standard error is 0.127 (Fleiss 1969): 0.4 ± 0.25.
    expect(kappa!.low).toBeGreaterThan(0.07);
    expect(kappa!.low).toBeLessThan(0.22);
    expect(kappa!.high).toBeGreaterThan(0.58);
    expect(kappa!.high).toBeLessThan(0.73);
    expect(kappa!.n).toBe(50);
    expect(macro!.value).toBeCloseTo(0.7, 9);
    expect(macro!.low).toBeLessThan(0.65);
    expect(macro!.high).toBeGreaterThan(0.75);
  });

  it('widens when several faces are of one person', () => {
    const width = (perPerson: number) => {
      const { low, high } = scored(judged(COHEN, perPerson)).expressionKappa!;
      return high - low;
    };
    expect(width(5)).toBeGreaterThan(1.3 * width(1));
  });

  it('says how little is known when all of four faces agree', () => {
    const { expressionAgreement, expressionKappa } = scored(judged(Array<Labels>(4).fill([3, 3, 3])));
    expect(expressionAgreement).toMatchObject({ value: 1, high: 1, n: 4 });
    expect(expressionAgreement!.low).toBeCloseTo(0.025 ** (1 / 4), 9);
    // One label on both sides: chance alone agrees always, so that there is nothing beyond it to measure.
    expect(expressionKappa).toBeUndefined();
  });
});

const VALUES = { coverage: 1, uncoveredFrames: 0, leakRate: 0, flickerRatio: 0.8 };

function track(name: string, leaks: number, embeddings: readonly (readonly number[])[] = []): VideoTrack {
  const vectors = embeddings.map((e) => Float32Array.from(e));
  return {
    name,
    frames: 20,
    values: { ...VALUES, leakCount: leaks },
    embeddings: { A: { original: vectors, anonymized: vectors } },
    pixelMean: {},
  };
}

function video(name: string, tracks: readonly VideoTrack[], uncovered = 0): VideoResult {
  const places = Array.from({ length: uncovered }, (_, frame) => ({ frame, x: 0, y: 0, height: 20 }));
  return { name, tracks, check: { finds: 10, uncovered: places } };
}

describe('figures of videos', () => {
  it('have intervals over videos where they are sums', () => {
    const videos = Array.from({ length: 10 }, (_, i) =>
      video(`v${i}`, [track(`v${i}#1`, i % 2 ? 1 : 0), track(`v${i}#2`, i % 2 ? 1 : 0)], i % 2 ? 2 : 0),
    );
    const s = scoreVideos(videos);
    // Ten videos of 0 or 2: see the bootstrap of a sum.
    expect(s.leakCount).toMatchObject({ value: 10, low: 4, high: 16, n: 20 });
    expect(s.uncoveredMtcnn).toMatchObject({ value: 10, low: 4, high: 16, n: 100 });
    // 0 in every video: there is nothing to resample, and the rate beside it carries the bound.
    expect(s.uncoveredFrames).toMatchObject({ value: 0, low: Number.NaN, high: Number.NaN });
    expect(s.coverage).toMatchObject({ value: 1, high: 1 });
    expect(s.coverage!.low).toBeCloseTo(0.025 ** (1 / 10), 9);
    expect(s.leakRate!.high).toBeCloseTo(1 - 0.025 ** (1 / 10), 9);
  });

  it('resample steadiness by video, not by FaceTrack', () => {
    const steady = [
      [1, 0],
      [1, 0],
    ];
    const unsteady = [
      [1, 0],
      [0, 1],
    ];
    const of = (name: string, embeddings: number[][], copies: number) =>
      video(
        name,
        Array.from({ length: copies }, (_, i) => track(`${name}#${i + 1}`, 0, embeddings)),
      );
    const one = scoreVideos(['a', 'b', 'c', 'd'].map((n, i) => of(n, i % 2 ? steady : unsteady, 1)));
    const many = scoreVideos(['a', 'b', 'c', 'd'].map((n, i) => of(n, i % 2 ? steady : unsteady, 8)));
    expect(many.identitySteadiness!.value).toBeCloseTo(one.identitySteadiness!.value, 9);
    expect(many.identitySteadiness!.low).toBeCloseTo(one.identitySteadiness!.low, 9);
    expect(many.identitySteadiness!.high).toBeCloseTo(one.identitySteadiness!.high, 9);
    expect(many.identitySteadiness!.n).toBe(32);
    expect(one.identitySeparation!.low).toBeLessThan(one.identitySeparation!.high);
  });
});

describe('an interval', () => {
  it('is the exact one for a share only: an error of 0 on every face is none', () => {
    const values = { detectionRate: 1, poseError: 0, backgroundSsim: 1, siMse: 0, lightAsymmetry: 0 };
    const { detectionRate, poseError, backgroundSsim, suspectedCopies } = scored(
      judged(Array<Labels>(3).fill([3, 3, 3])).map((r) => ({ ...r, values })),
    );
    for (const rate of [detectionRate, suspectedCopies]) expect(rate!.low).toBeCloseTo(0.025 ** (1 / 3), 9);
    expect([poseError!.low, poseError!.high, backgroundSsim!.low]).toEqual([0, 0, 1]);
  });
});

describe('a sum over FaceTracks', () => {
  it('counts what is known, whatever is not known of another', () => {
    const track = (name: string, leakCount: number) =>
      ({ name, frames: 9, values: { leakCount }, embeddings: {}, pixelMean: {} }) as VideoTrack;
    const videos: VideoResult[] = [
      { name: 'a', tracks: [track('a#1', 2), track('a#2', Number.NaN)] },
      { name: 'b', tracks: [track('b#1', 1)] },
    ];
    expect(scoreVideos(videos).leakCount).toMatchObject({ value: 3, n: 2 });
  });
});
