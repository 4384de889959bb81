import type { Scores } from '../score.ts';
import type { PaperRow } from './paper-tables.ts';

/** Our metrics in the order of their judges' nearness to the paper's; the runtime's own stand behind. */
const NEAREST: Partial<Record<keyof PaperRow, readonly [string, ...string[]]>> = {
  detectionRate: ['detectionRateMtcnn', 'detectionRate'],
  poseError: ['poseErrorDlib', 'poseError'],
  expressionError: ['expressionErrorDlib', 'expressionError'],
  reidCosineVgg: ['reidCosineA'],
  reidCosineCasia: ['reidCosineC'],
};

const NAMES: Partial<Record<keyof PaperRow, string>> = {
  detectionRate: 'detection',
  poseError: 'pose',
  expressionError: 'expression error',
};

export interface LikeThePaper {
  /** Under the names of the paper's rows; undefined: nobody measured it. */
  readonly values: Readonly<Record<string, number | undefined>>;
  /** What the runtime's own detector or points had to judge. */
  readonly byRuntime: readonly string[];
}

/** Our metric of the paper's name, by the judge that is nearest to its own: the first is, where it could be asked. */
export function nearestMetrics(name: string): readonly string[] {
  return NEAREST[name as keyof PaperRow] ?? [name];
}

/** A method's figures as they may stand beside the paper's. @param metrics may come from JSON, where NaN is null */
export function likeThePaper(metrics: Scores): LikeThePaper {
  const known = (name: string) => Number.isFinite(metrics[name]?.value);
  const values: Record<string, number | undefined> = {};
  const byRuntime: string[] = [];
  for (const name of [...Object.keys(metrics), ...Object.keys(NEAREST)]) {
    const nearest = nearestMetrics(name);
    const found = nearest.find(known);
    values[name] = found === undefined ? undefined : metrics[found]!.value;
    if (found !== undefined && found !== nearest[0] && !byRuntime.includes(name)) byRuntime.push(name);
  }
  return { values, byRuntime };
}

/** A method's name with what was not judged as in the paper. @param shown names of the figures that stand beside it */
export function judgedBy(method: string, { byRuntime }: LikeThePaper, shown: readonly string[]): string {
  const fallen = byRuntime.filter((name) => shown.includes(name)).map((name) => NAMES[name as keyof PaperRow] ?? name);
  return fallen.length === 0 ? method : `${method} (${fallen.join(', ')} by the runtime's own judge)`;
}

/** The paper's row under our names. */
export function underOurNames({ method: _, ...row }: PaperRow): Record<string, number> {
  return Object.fromEntries(Object.entries(row).map(([name, value]) => [nearestMetrics(name)[0]!, value]));
}
