import type { FaceRecord } from './face-record.ts';
import { suspectedCopy } from './metrics/si-mse.ts';
import type { LeftOut } from './pairs.ts';
import type { Scores } from './score.ts';
import type { Thresholds } from './thresholds.ts';
import type { VideoResult, VideoTrack } from './video-tracks.ts';

export interface AttackResult {
  readonly value: number;
  readonly low: number;
  readonly high: number;
  /** What guessing gives. */
  readonly chance: number;
  /** Outputs that were searched for. */
  readonly n: number;
}

/** All that one evaluation found out, for every kind of report. */
export interface EvaluationResult {
  readonly machine: string;
  readonly method: string;
  readonly scores: Scores;
  readonly thresholds: Thresholds;
  readonly attacks: Readonly<Record<string, AttackResult>>;
  readonly records: readonly FaceRecord[];
  readonly videos: readonly VideoResult[];
  /** Faces of videos over time. */
  readonly tracks: readonly VideoTrack[];
  /** Originals that were to be compared. */
  readonly asked: number;
  readonly leftOut: readonly LeftOut[];
  /** Judges that could not be asked, and why. */
  readonly absent: readonly string[];
}

/** Why the figures say nothing of the set that was asked about, when so much of it is missing; else undefined. */
export function meaningless({
  records,
  videos,
  asked,
}: Pick<EvaluationResult, 'records' | 'videos' | 'asked'>): string | undefined {
  const names = new Set(records.map(({ name }) => name));
  // Further faces of a picture end in `#2`, `#3` …, and so may a picture's own name.
  const further = [...names].filter(
    (name) => name.replace(/#\d+$/, '') !== name && names.has(name.replace(/#\d+$/, '')),
  );
  // A picture and a video may have one name.
  const compared = names.size - further.length + videos.length;
  return 2 * compared < asked ? `only ${compared} of ${asked} files could be compared` : undefined;
}

/** The documented JSON: numbers and names only, no embedding, no point, no pixel. NaN becomes null. */
export function resultJson({
  machine,
  method,
  scores,
  attacks,
  thresholds,
  records,
  tracks,
  videos,
  leftOut,
  absent,
}: EvaluationResult) {
  return {
    machine,
    method,
    n: records.length + tracks.length,
    metrics: scores,
    attacks,
    thresholds,
    perPicture: records.map((r) => ({
      name: r.name,
      person: r.person,
      ...r.values,
      suspectedCopy: suspectedCopy(r.values.siMse) ?? null,
    })),
    ...(tracks.length > 0 && { perFaceTrack: tracks.map((t) => ({ name: t.name, frames: t.frames, ...t.values })) }),
    ...(videos.length > 0 && { perVideo: videos.map(({ name, check }) => ({ name, mtcnn: check })) }),
    leftOut,
    absent,
  };
}
