import { ExitCode, UnderstudyError } from '../core/errors.ts';
import type { AuditTotals } from '../guard/audit-record.ts';

/** Pictures that the program itself failed on, as against those that came damaged. */
const failed = ({ veiledBy }: AuditTotals): number =>
  (veiledBy['analysis-failed'] ?? 0) + (veiledBy['compositor-failed'] ?? 0);

/** Why pictures of an output show nothing: who does not look at all of it learns it nowhere else. */
export function greySentences(input: string, output: string, totals: AuditTotals): string[] {
  const { frames, veiledBy } = totals;
  const grey = (count: number) => `${count} of ${frames} pictures of ${output} are grey`;
  return [
    ...(veiledBy.damaged ? [`${grey(veiledBy.damaged)}: ${input} is damaged there`] : []),
    ...(failed(totals) > 0 ? [`${grey(failed(totals))}: they could not be looked at or drawn`] : []),
  ];
}

/** An output in which the program has failed on every picture; undefined when it has not. */
export function allGrey(output: string, totals: AuditTotals): UnderstudyError | undefined {
  if (totals.frames === 0 || failed(totals) < totals.frames) return undefined;
  return new UnderstudyError(
    ExitCode.tool,
    `all of ${output} is grey: nothing could be looked at or drawn`,
    'run it once more, and understudy doctor should that happen again',
  );
}
