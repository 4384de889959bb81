import { mkdirSync } from 'node:fs';
import type { Config } from '../config/loader.ts';
import { ExitCode, UnderstudyError } from '../core/errors.ts';
import { scoreVideos, templateAttack } from '../evaluate/evaluate-videos.ts';
import type { Measurer } from '../evaluate/measurer.ts';
import type { InputFile, LeftOut, People } from '../evaluate/pairs.ts';
import type { AttackResult, EvaluationResult } from '../evaluate/result.ts';
import { score } from '../evaluate/score.ts';
import { setDistances } from '../evaluate/set-distances.ts';
import { matchedNote, type Thresholds } from '../evaluate/thresholds.ts';
import { attackPictures } from './attack-variant.ts';
import { machineName } from './machine-name.ts';
import { measurePictures, measureVideos } from './measure-variant.ts';

/** One method with its settings: what is run, or the folder of what has been run elsewhere. */
export interface Variant {
  readonly label: string;
  readonly folder?: string;
  readonly config?: Config;
  /** Options of the analysis that no setting reaches: for the ablation only. */
  readonly track?: Readonly<Record<string, unknown>>;
}

export interface Bench {
  readonly originals: readonly InputFile[];
  /** Originals of which several have one name: they count as asked for. */
  readonly ambiguous?: readonly LeftOut[];
  /** Whatever else lies in the folders. */
  readonly uncounted?: readonly LeftOut[];
  /** Only names that contain this. */
  readonly match: string;
  readonly people: People;
  readonly measurer: Measurer;
  readonly thresholds: Thresholds;
  /** Holds pictures and measurements while this runs, and afterwards when `keeps`. */
  readonly work: string;
  /** Where the session key is kept that all variants of a run share. */
  readonly home: string;
  readonly keeps: boolean;
  /** Other pictures of the same people, for the attacks to search in; absent: the very pictures that were anonymized. */
  readonly gallery?: readonly InputFile[];
  /** Keys to run the method with: more than one for the attacks that need them. */
  readonly keys: number;
  readonly attack: boolean;
  readonly progress: string | undefined;
  /** Frames of a video that are looked at, and every how many the recognizers look. */
  readonly maxFrames: number;
  readonly lookEvery: number;
}

/** Runs and scores one variant. @throws UnderstudyError(noFace) when nothing could be compared */
export async function evaluateVariant(variant: Variant, bench: Bench): Promise<EvaluationResult> {
  mkdirSync(bench.work, { recursive: true });
  const { recognizers, absent } = bench.measurer;
  const pictures = await measurePictures(variant, bench);
  const { videos, leftOut: withoutVideo } = await measureVideos(variant, bench);
  const tracks = videos.flatMap((v) => v.tracks);
  const { records } = pictures;
  const { ambiguous = [], uncounted = [] } = bench;
  const leftOut: LeftOut[] = [...pictures.leftOut, ...withoutVideo, ...ambiguous, ...uncounted];
  if (records.length + videos.length === 0) {
    const reason = leftOut[0] ? ` (${leftOut[0].name}: ${leftOut[0].reason})` : '';
    throw new UnderstudyError(
      ExitCode.noFace,
      `none of ${bench.originals.length} files could be compared${reason}`,
      'see that both folders hold files of the same names with faces in them',
    );
  }
  const scores = score(records, { recognizers, thresholds: bench.thresholds });
  const distances = records.length > 0 ? setDistances(records) : { scores: {}, absent: [] };
  if (pictures.timePerFaceMs !== undefined)
    scores.timePerFaceMs = { value: pictures.timePerFaceMs, low: Number.NaN, high: Number.NaN };
  const attacks: Record<string, AttackResult> = {};
  if (bench.attack) {
    const attacked = await attackPictures(variant, bench, pictures);
    Object.assign(attacks, attacked.attacks, templateAttack(tracks, recognizers));
    leftOut.push(...attacked.leftOut);
  }
  return {
    machine: machineName(),
    method: variant.label,
    scores: { ...scores, ...distances.scores, ...scoreVideos(videos) },
    thresholds: bench.thresholds,
    attacks,
    records,
    videos,
    tracks,
    asked: bench.originals.length + ambiguous.length,
    leftOut,
    absent: [...absent, ...distances.absent, ...matchedNote(bench.thresholds)],
  };
}
