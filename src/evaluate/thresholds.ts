import { existsSync, readFileSync } from 'node:fs';
import { ExitCode, UnderstudyError } from '../core/errors.ts';
import { calibrate, impostorScores } from './metrics/reidentification.ts';
import type { FaceObserver } from './observer.ts';
import type { InputFile, LeftOut } from './pairs.ts';
import { readPicture } from './y4m.ts';

export const FAR = 1e-3;

/** Similarity above which a recognizer takes two pictures for one person, at a false accept rate of 1e-3. */
export interface CalibratedThreshold {
  readonly threshold: number;
  readonly impostorPairs: number;
  readonly source: string;
}
export type Thresholds = Readonly<Record<string, CalibratedThreshold>>;

/** @throws UnderstudyError(input) when the file is there and is none */
export function readThresholds(path: string): Thresholds {
  if (!existsSync(path)) return {};
  try {
    return JSON.parse(readFileSync(path, 'utf8')) as Thresholds;
  } catch (cause) {
    throw new UnderstudyError(ExitCode.input, `the thresholds ${path} are not JSON`, 'calibrate again', { cause });
  }
}

/**
 * Thresholds from pictures of people who are never probed, one picture a person: all pairs are impostors.
 * A judge with too few of them is left out ("not measurable").
 */
export async function calibrateThresholds(
  observer: FaceObserver,
  files: readonly InputFile[],
  source: string,
  onFile?: (done: number) => void,
): Promise<{ thresholds: Thresholds; faces: number; leftOut: LeftOut[] }> {
  const { recognizers } = observer.judges;
  const embeddings = new Map<string, Float32Array[]>(recognizers.map((j) => [j.key, []]));
  const leftOut: LeftOut[] = [];
  let faces = 0;
  for (const [i, file] of files.entries()) {
    try {
      const picture = await readPicture(file.path);
      const [face] = await observer.faces(picture);
      if (face) {
        faces++;
        for (const judge of recognizers) embeddings.get(judge.key)!.push(await judge.embed(picture, face.points));
      } else leftOut.push({ name: file.name, reason: 'no face found' });
    } catch (error) {
      leftOut.push({ name: file.name, reason: (error as Error).message });
    }
    onFile?.(i + 1);
  }
  const thresholds: Record<string, CalibratedThreshold> = {};
  const people = Array.from({ length: faces }, (_, i) => String(i));
  for (const judge of recognizers) {
    const point = calibrate(impostorScores(embeddings.get(judge.key)!, people, judge.similarity), FAR);
    if (point.measurable)
      thresholds[judge.key] = { threshold: point.threshold, impostorPairs: point.impostorPairs, source };
    else
      leftOut.push({ name: judge.name, reason: `${point.impostorPairs} impostor pairs; ${point.needed} are needed` });
  }
  return { thresholds, faces, leftOut };
}
