import type { Config } from '../config/loader.ts';
import { ExitCode, UnderstudyError } from '../core/errors.ts';
import { isStillName } from '../egress/file/still-sink.ts';
import { withoutFace } from '../guard/audit-record.ts';
import type { Engine } from '../pipeline/engine.ts';
import { anonymizeFile } from './anonymize-file.ts';
import { makeFolderOf, planFolder } from './media-files.ts';
import type { ProgressLine } from './progress.ts';
import { fileReport } from './report.ts';

export interface FolderRun {
  readonly input: string;
  readonly output: string;
  readonly config: Config;
  /** @param still whether all that there is to do are still pictures */
  readonly engine: (still: boolean) => Promise<Engine>;
  readonly again: boolean;
  readonly allowNoFace: boolean;
  readonly stop: AbortSignal;
  readonly progress: ProgressLine;
  /** Hashes and counts per file are gathered only when somebody wants them. */
  readonly report: boolean;
}

export interface FolderOutcome {
  readonly exitCode: number;
  readonly files: readonly object[];
  readonly skipped: readonly string[];
  readonly notMedia: readonly string[];
}

const say = (sentence: string): void => void process.stderr.write(`understudy: ${sentence}\n`);

/**
 * All pictures and recordings of a folder, one after the other. What fails is said and left out, and the rest goes on;
 * a second run does what is missing. The exit code is the first failure's, else 3 when a file had no face.
 * @throws UnderstudyError when nothing can be done at all
 */
export async function runFolder(run: FolderRun): Promise<FolderOutcome> {
  const { input, output, config, stop } = run;
  const { todo, done, other, journal } = planFolder(input, output, run.again);
  if (other.length > 0) say(`${other.length} of the files in ${input} are neither pictures nor videos by their names`);
  if (done.length > 0) say(`${done.length} of the files in ${input} are done already; --again does them once more`);
  const files: object[] = [];
  let failure: number | undefined;
  const withoutFaceBefore = done.filter((file) => file.outcome === 'no-face').map((file) => file.input);
  let faceless = withoutFaceBefore.length;
  if (faceless > 0 && !run.allowNoFace)
    say(`no face was found before in ${withoutFaceBefore.join(', ')}; look at what came of it before you trust it`);
  const still = todo.every((file) => isStillName(file.output));
  for (const [i, file] of todo.entries()) {
    if (stop.aborted) break;
    const label = `${i + 1}/${todo.length} ${file.input}`;
    try {
      makeFolderOf(file.output);
      const outcome = await anonymizeFile({
        ...file,
        config,
        stop,
        streamId: i,
        engine: () => run.engine(still),
        onStart: (total) => run.progress.start(total, label),
        onFrame: (p) => run.progress.frame(p),
      });
      const { result } = outcome;
      run.progress.end(result);
      if (run.report) files.push(await fileReport(file.input, file.output, outcome));
      if (result.sourceError) throw result.sourceError;
      const none = withoutFace(result.audit.totals);
      if (!stop.aborted) journal.record(file.input, file.output, none ? 'no-face' : 'faces');
      if (none) {
        faceless++;
        if (!run.allowNoFace) say(`no face was found in ${file.input}; look at ${file.output} before you trust it`);
      }
    } catch (error) {
      // Only what is wrong with this one file: a fault of the program, or a missing model, would repeat itself.
      if (stop.aborted) break;
      if (!(error instanceof UnderstudyError) || !FILE_FAILURES.has(error.exitCode)) throw error;
      failure ??= error.exitCode;
      say(`${error.message}; ${error.remedy}`);
      if (run.report) files.push({ input: { path: file.input }, failure: error.message });
    }
  }
  const noFace = faceless > 0 && !run.allowNoFace ? ExitCode.noFace : ExitCode.ok;
  return {
    exitCode: stop.aborted ? ExitCode.interrupted : (failure ?? noFace),
    files,
    skipped: done.map((f) => f.input),
    notMedia: other,
  };
}

const FILE_FAILURES: ReadonlySet<number> = new Set([ExitCode.input, ExitCode.output, ExitCode.tool]);
