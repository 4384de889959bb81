import type { RecognizerJudge } from './judges/judges.ts';
import { unmeasurable } from './measurements.ts';
import { ranks } from './metrics/reidentification.ts';
import { bootstrapMean, bootstrapRate, bootstrapStatistic } from './metrics/statistics.ts';
import { identitySeparation, identitySteadiness, meanEmbedding } from './metrics/video.ts';
import type { FilePair } from './pairs.ts';
import type { AttackResult } from './result.ts';
import type { Scores } from './score.ts';
import { type TrackerOptions, type VideoResult, type VideoTrack, VideoTracker } from './video-tracks.ts';
import { readFrames } from './y4m.ts';

/** What of a video pair is looked at. */
export interface VideoLook extends Pick<TrackerOptions, 'thresholds' | 'lookEvery'> {
  /** Frames of each video that are looked at. */
  readonly maxFrames: number;
}

/** Follows every face through a pair of videos. @throws Error with the reason when they do not fit together or hold no face */
export async function followFaces(pair: FilePair, options: VideoLook & TrackerOptions): Promise<VideoResult> {
  const tracker = new VideoTracker(options);
  const [before, after] = [readFrames(pair.original.path), readFrames(pair.anonymized.path)];
  try {
    for (let frames = 0; frames < options.maxFrames; frames++) {
      const [a, b] = [await before.next(), await after.next()];
      if (a.done && b.done) break;
      if (a.done || b.done) throw unmeasurable(`${frames} frames on one side, more on the other`);
      if (a.value.planes.length !== b.value.planes.length || a.value.format.width !== b.value.format.width)
        throw unmeasurable('sizes differ');
      await tracker.frame(a.value, b.value);
    }
  } finally {
    await Promise.all([before.return(undefined), after.return(undefined)]);
  }
  const found = await tracker.finish(pair.original.name);
  if (found.tracks.length === 0 && !found.check?.finds)
    throw unmeasurable('no face found for long enough in the original');
  return found;
}

const videoOf = (track: VideoTrack) => track.name.replace(/#\d+$/, '');

/** Sums over FaceTracks; all else are means. */
const SUMS: readonly string[] = ['leakCount', 'uncoveredFrames'];

/** Shares, which get the exact bound for so many videos where nothing or everything happened. */
const RATES: readonly string[] = [
  'coverage',
  'leakRate',
  'videoDetectionRate',
  'videoDetectionRateMtcnn',
  'emotionAgreement',
];

/**
 * Means over FaceTracks. `leakCount`, `uncoveredFrames` and `uncoveredMtcnn` are sums; the last and `coverageMtcnn` count
 * whatever MTCNN finds, whether or not it was followed. All intervals are by bootstrap over videos: faces of one recording
 * share its light, its size and its encoder. A sum that is 0 in every video has none; the rate beside it has.
 */
export function scoreVideos(videos: readonly VideoResult[]): Scores {
  const tracks = videos.flatMap((v) => v.tracks);
  const scores: Scores = coverScores(videos);
  if (tracks.length === 0) return scores;
  const who = tracks.map(videoOf);
  for (const name of Object.keys(tracks[0]!.values)) {
    const values = tracks.map((t) => t.values[name]!);
    const finite = values.filter(Number.isFinite);
    if (finite.length === 0) continue;
    if (SUMS.includes(name)) {
      const perVideo = videos.map((v) => v.tracks.reduce((sum, t) => sum + finiteOrNone(t.values[name]!), 0));
      scores[name] = { ...sumOf(perVideo), n: finite.length };
    } else scores[name] = { ...(RATES.includes(name) ? bootstrapRate : bootstrapMean)(values, who), n: finite.length };
  }
  for (const [side, label] of [
    ['original', 'Original'],
    ['anonymized', ''],
  ] as const) {
    const looked = tracks.flatMap((t) => {
      const embeddings = t.embeddings.A?.[side] ?? [];
      return embeddings.length > 1 ? [{ embeddings, video: videoOf(t) }] : [];
    });
    if (looked.length === 0) continue;
    const [sets, whose] = [looked.map((l) => l.embeddings), looked.map((l) => l.video)];
    const n = looked.length;
    scores[`identitySteadiness${label}`] = { ...bootstrapMean(sets.map(identitySteadiness), whose), n };
    if (n > 1) scores[`identitySeparation${label}`] = { ...identitySeparation(sets, whose), n };
  }
  return scores;
}

function coverScores(videos: readonly VideoResult[]): Scores {
  const finds = videos.flatMap(({ name, check }) => {
    const uncovered = check?.uncovered.length ?? 0;
    return Array.from({ length: check?.finds ?? 0 }, (_, i) => ({ name, covered: i < uncovered ? 0 : 1 }));
  });
  if (finds.length === 0) return {};
  const n = finds.length;
  const rate = bootstrapRate(
    finds.map((f) => f.covered),
    finds.map((f) => f.name),
  );
  const missed = videos.flatMap(({ check }) => (check ? [check.uncovered.length] : []));
  return { coverageMtcnn: { ...rate, n }, uncoveredMtcnn: { ...sumOf(missed), n } };
}

/** A FaceTrack of which nothing is known must not hide what is known of the others. */
const finiteOrNone = (value: number): number => (Number.isFinite(value) ? value : 0);

const sumOf = (perVideo: readonly number[]) =>
  bootstrapStatistic(perVideo, (drawn) => drawn.reduce((a, b) => a + b, 0));

/**
 * Attacks 7 and 9: the mean embedding of more and more of a FaceTrack's frames, and the embedding of the pixel mean of all its
 * aligned frames, searched among the originals' mean embeddings. A FaceTrack with fewer looks than a template needs is
 * searched among, not searched for.
 */
export function templateAttack(
  tracks: readonly VideoTrack[],
  recognizers: readonly Pick<RecognizerJudge, 'key' | 'similarity'>[],
): Record<string, AttackResult> {
  const results: Record<string, AttackResult> = {};
  for (const { key, similarity } of recognizers) {
    const known = tracks.filter((t) => (t.embeddings[key]?.original.length ?? 0) > 0);
    if (known.length < 2) continue;
    const gallery = known.map((t) => ({ person: t.name, embedding: meanEmbedding(t.embeddings[key]!.original) }));
    const put = (name: string, probes: readonly { track: VideoTrack; embedding: Float32Array }[]) => {
      if (probes.length === 0) return;
      const found = ranks(
        probes.map(({ track, embedding }) => ({ person: track.name, embedding })),
        gallery,
        similarity,
      );
      const rate = bootstrapRate(
        found.map((r) => Number(r === 1)),
        probes.map(({ track }) => videoOf(track)),
      );
      results[name] = { ...rate, chance: 1 / known.length, n: probes.length };
    };
    for (const count of [1, 8, 32, Number.POSITIVE_INFINITY]) {
      const least = Number.isFinite(count) ? count : 1;
      const probes = known.flatMap((track) => {
        const looks = track.embeddings[key]!.anonymized;
        return looks.length >= least ? [{ track, embedding: meanEmbedding(looks.slice(0, count)) }] : [];
      });
      put(`templateOf${Number.isFinite(count) ? count : 'All'}Frames${key}`, probes);
    }
    put(
      `pixelMeanOfFrames${key}`,
      known.flatMap((track) => {
        const embedding = track.pixelMean[key];
        return embedding ? [{ track, embedding }] : [];
      }),
    );
  }
  return results;
}
