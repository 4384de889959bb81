import { execFileSync } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { scoreVideos, templateAttack } from '../../src/evaluate/evaluate-videos.ts';
import { openJudges, type RecognizerJudge } from '../../src/evaluate/judges/judges.ts';
import { Measurements } from '../../src/evaluate/measurements.ts';
import { LocalMeasurer } from '../../src/evaluate/measurer.ts';
import { FaceObserver } from '../../src/evaluate/observer.ts';
import { listInputs, pairByName } from '../../src/evaluate/pairs.ts';
import { readThresholds, type Thresholds } from '../../src/evaluate/thresholds.ts';
import type { VideoResult } from '../../src/evaluate/video-tracks.ts';
import { ModelStore } from '../../src/infer/model-store.ts';

const FRAMES = 12;
let observer: FaceObserver;
let folder: string;

function clip(to: string, graph: string, frames = FRAMES): void {
  const photo = ModelStore.open().verify('demo-photo-1');
  const still = ['-loop', '1', '-framerate', '25', '-i', photo, '-frames:v', String(frames)];
  const pan = 'scale=700:-2,crop=640:360:2*n:(ih-360)/2';
  execFileSync('ffmpeg', ['-v', 'error', '-y', ...still, '-vf', `${pan}${graph}`, '-c:v', 'libx264', '-crf', '10', to]);
}

async function evaluated(anonymize: (to: string) => void) {
  const outputs = mkdtempSync(join(tmpdir(), 'understudy-videos-'));
  anonymize(join(outputs, 'pan.mp4'));
  const { pairs } = pairByName(listInputs(folder), listInputs(outputs));
  const thresholds = readThresholds('models/evaluate/thresholds.json');
  const measurer = new LocalMeasurer(observer);
  const measurements = new Measurements<VideoResult>();
  for (const pair of pairs)
    measurements.add(pair.original.name, async () => [
      await measurer.video(pair, { thresholds, lookEvery: 6, maxFrames: 100 }),
    ]);
  const { results, leftOut } = await measurements.finish();
  return { videos: results, tracks: results.flatMap((r) => r.tracks), leftOut };
}

beforeAll(async () => {
  const store = ModelStore.open();
  observer = await FaceObserver.create(store, await openJudges(store));
  folder = mkdtempSync(join(tmpdir(), 'understudy-video-originals-'));
  mkdirSync(folder, { recursive: true });
  clip(join(folder, 'pan.mp4'), '');
}, 60_000);

describe('video pairs', { timeout: 60_000 }, () => {
  it('takes a copy for what it is: nothing covered, everybody recognized, time untouched', async () => {
    const { videos, tracks, leftOut } = await evaluated((to) => copyFileSync(join(folder, 'pan.mp4'), to));
    expect(leftOut).toEqual([]);
    expect(tracks.length).toBeGreaterThan(1);
    const s = scoreVideos(videos);
    expect(s.coverage?.value).toBe(0);
    expect(s.coverageMtcnn?.value).toBe(0);
    expect(s.uncoveredMtcnn!.value).toBeGreaterThanOrEqual(tracks.length);
    expect(s.uncoveredFrames?.value).toBe(tracks.reduce((n, t) => n + t.frames, 0));
    expect(s.leakRate?.value).toBe(1);
    expect(s.temporalCorrelation?.value).toBeCloseTo(1, 6);
    expect(s.flickerRatio?.value).toBeCloseTo(1, 6);
    expect(s.emotionAgreement?.value).toBe(1);
    const attacks = templateAttack(tracks, observer.judges.recognizers);
    expect(attacks.templateOfAllFramesA?.value).toBe(1);
    for (const judge of ['A', 'B', 'C']) expect(attacks[`pixelMeanOfFrames${judge}`]?.value, judge).toBe(1);
  });

  it('sees that a flat picture covers everybody and that nobody can be recognized or found in it', async () => {
    const { videos } = await evaluated((to) => clip(to, ',lutyuv=y=90:u=128:v=128'));
    const s = scoreVideos(videos);
    expect(s.coverage?.value).toBe(1);
    expect(s.coverageMtcnn?.value).toBe(1);
    expect(s.uncoveredMtcnn?.value).toBe(0);
    expect(s.leakCount?.value).toBe(0);
    expect(s.videoDetectionRate?.value).toBe(0);
    expect(s.temporalCorrelation).toBeUndefined();
  });

  it('does not take what an encoder does to grain for a cover', async () => {
    const grainy = join(folder, 'pan.mp4');
    const clean = readFileSync(grainy);
    clip(grainy, ',noise=alls=20:allf=t');
    try {
      const { videos } = await evaluated((to) => {
        execFileSync('ffmpeg', ['-v', 'error', '-y', '-i', grainy, '-c:v', 'libx264', '-crf', '24', to]);
      });
      const s = scoreVideos(videos);
      expect(s.coverage?.value).toBe(0);
      expect(s.coverageMtcnn?.value).toBe(0);
    } finally {
      writeFileSync(grainy, clean);
    }
  });

  it('notices flicker that the original does not have', async () => {
    const { videos } = await evaluated((to) => clip(to, ",eq=brightness='0.06*(-1)^n':eval=frame"));
    expect(scoreVideos(videos).flickerRatio!.value).toBeGreaterThan(2);
  });

  it('lists whoever is seen too shortly, with the first frame and the number of frames', async () => {
    const short = mkdtempSync(join(tmpdir(), 'understudy-video-short-'));
    clip(join(short, 'pan.mp4'), '', 5);
    const file = { name: 'pan', path: join(short, 'pan.mp4'), kind: 'video' as const };
    const look = { thresholds: {}, lookEvery: 6, maxFrames: 100 };
    const { tracks, leftOut } = await new LocalMeasurer(observer).video({ original: file, anonymized: file }, look);
    expect(tracks).toEqual([]);
    expect(leftOut!.length).toBeGreaterThan(1);
    for (const { name, reason } of leftOut!) {
      expect(name).toBe('pan');
      expect(reason).toMatch(/^a face seen from frame 0 on, in [1-5] frames?: fewer than 8 say nothing about time$/);
    }
  });

  it('does not take a recognizer that answers NaN, or that has no threshold, for one who sees somebody else', async () => {
    const [a, b] = observer.judges.recognizers;
    const mad = { ...a!, key: 'A' as const, embed: async () => new Float32Array(512).fill(Number.NaN) };
    const file = { name: 'pan', path: join(folder, 'pan.mp4'), kind: 'video' as const };
    const known = readThresholds('models/evaluate/thresholds.json');
    const judgedBy = async (recognizers: readonly RecognizerJudge[], thresholds: Thresholds) => {
      const store = ModelStore.open();
      const judges = { recognizers, absent: [] };
      const measurer = new LocalMeasurer(await FaceObserver.create(store, judges));
      const look = { thresholds, lookEvery: 6, maxFrames: 100 };
      return measurer.video({ original: file, anonymized: file }, look);
    };
    const alone = await judgedBy([mad], known);
    expect(alone.tracks.length).toBeGreaterThan(1);
    const scores = scoreVideos([alone]);
    expect(scores.leakRate).toBeUndefined();
    expect(scores.leakCount).toBeUndefined();
    expect(alone.leftOut!.filter((l) => /^recognizer A answers NaN at 2 of the looks/.test(l.reason)).length).toBe(
      alone.tracks.length,
    );
    expect(templateAttack(alone.tracks, [mad])).toEqual({});
    // Who answers and recognizes everybody is believed.
    const embed: RecognizerJudge['embed'] = (picture, points) => b!.embed(picture, points);
    const both = await judgedBy([mad, { ...b!, key: 'B', similarity: b!.similarity, embed }], known);
    expect(scoreVideos([both]).leakRate?.value).toBe(1);
    expect(scoreVideos([await judgedBy([a!], {})]).leakRate).toBeUndefined();
  });

  it('searches with templates of many looks only for those who were looked at so often', async () => {
    const { tracks } = await evaluated((to) => copyFileSync(join(folder, 'pan.mp4'), to));
    const [first, ...rest] = tracks;
    const often = Array.from({ length: 8 }, () => first!.embeddings.A!);
    const long = {
      original: often.flatMap((e) => e.original).slice(0, 8),
      anonymized: often.flatMap((e) => e.anonymized).slice(0, 8),
    };
    const attacks = templateAttack(
      [{ ...first!, embeddings: { ...first!.embeddings, A: long } }, ...rest],
      [observer.judges.recognizers[0]!],
    );
    expect(attacks.templateOf1FramesA).toMatchObject({ value: 1, n: tracks.length });
    expect(attacks.templateOf8FramesA).toMatchObject({ value: 1, n: 1, chance: 1 / tracks.length });
    expect(attacks.templateOf32FramesA).toBeUndefined();
    expect(attacks.templateOfAllFramesA!.n).toBe(tracks.length);
  });

  it('lists a pair of different lengths with the reason', async () => {
    const { tracks, leftOut } = await evaluated((to) => clip(to, '', FRAMES - 3));
    expect(tracks).toEqual([]);
    expect(leftOut[0]).toMatchObject({ name: 'pan' });
    expect(leftOut[0]!.reason).toMatch(/frames on one side/);
  });
});
