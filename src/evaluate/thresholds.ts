import { existsSync, readFileSync } from 'node:fs';
import { ExitCode, UnderstudyError } from '../core/errors.ts';
import { Measurements } from './measurements.ts';
import type { Embeddings, Measurer } from './measurer.ts';
import { calibrate, impostorScores, MIN_EXPECTED_FALSE_ACCEPTS } from './metrics/reidentification.ts';
import type { InputFile, LeftOut, People } from './pairs.ts';

export const FAR = 1e-3;

/**
 * Similarity above which a recognizer takes two pictures for one person, at a false accept rate of 1e-3. Without `threshold`
 * there were too few impostor pairs behind it: `needed`.
 */
export interface CalibratedThreshold {
  readonly threshold?: number;
  readonly impostorPairs: number;
  readonly needed?: number;
  readonly source: string;
}
/** By recognizer for all impostors, and as `matchedA` … for impostors of the same groups (gender, age band, ethnicity). */
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

/** What stands in place of group-matched acceptance where its operating point is not measurable. */
export function matchedNote(thresholds: Thresholds): string[] {
  if (Object.keys(thresholds).some((key) => key.startsWith('matched') && thresholds[key]?.threshold !== undefined))
    return [];
  const most = Math.max(
    0,
    ...Object.entries(thresholds).map(([k, t]) => (k.startsWith('matched') ? t.impostorPairs : 0)),
  );
  const needed = Math.ceil(MIN_EXPECTED_FALSE_ACCEPTS / FAR);
  return [
    `acceptance against impostors of the same groups: not measurable, ${most} such pairs were calibrated on and ${needed} are needed`,
  ];
}

/**
 * Thresholds from pictures of people who are never probed, one picture a person: all pairs are impostors. Those whose groups
 * are known and the same give a second threshold. A judge with too few pairs gets none ("not measurable").
 */
export async function calibrateThresholds(
  measurer: Pick<Measurer, 'embed' | 'recognizers'>,
  files: readonly InputFile[],
  { people, source, onFile }: { people: People; source: string; onFile?: (done: number) => void },
): Promise<{ thresholds: Thresholds; faces: number; leftOut: LeftOut[] }> {
  const measurements = new Measurements<{ groups: string; embeddings: Embeddings }>(onFile);
  for (const { name, path } of files) {
    measurements.add(name, async () => {
      const groups = people.groupsOf(people.personOf(name));
      const known = Object.values(groups).length > 0 && !Object.values(groups).includes('unknown');
      return [{ groups: known ? JSON.stringify(groups) : '', embeddings: await measurer.embed(path) }];
    });
  }
  const { results, leftOut } = await measurements.finish();
  const thresholds: Record<string, CalibratedThreshold> = {};
  const put = (name: string, scores: Float32Array) => {
    const { measurable, impostorPairs, ...point } = calibrate(scores, FAR);
    thresholds[name] = { ...point, impostorPairs, source };
    if (!measurable && !name.startsWith('matched'))
      leftOut.push({ name, reason: `${impostorPairs} impostor pairs are too few` });
  };
  const groups = [...new Set(results.map((r) => r.groups))].filter((g) => g !== '');
  for (const { key, similarity } of measurer.recognizers) {
    const scoresOf = (of: typeof results) =>
      impostorScores(
        of.map((r) => r.embeddings[key]!),
        of.map((_, i) => String(i)),
        similarity,
      );
    put(key, scoresOf(results));
    const matched = groups.map((g) => scoresOf(results.filter((r) => r.groups === g)));
    put(`matched${key}`, Float32Array.from(matched.flatMap((m) => [...m])));
  }
  return { thresholds, faces: results.length, leftOut };
}
