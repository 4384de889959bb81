import { statSync } from 'node:fs';
import type { Config } from '../config/loader.ts';
import { ExitCode, UnderstudyError } from '../core/errors.ts';
import { checkReport } from '../egress/file/output-path.ts';
import { isStillName } from '../egress/file/still-sink.ts';
import { withoutFace } from '../guard/audit-record.ts';
import { stillKind, stillSize } from '../ingest/file/still-format.ts';
import type { Engine } from '../pipeline/engine.ts';
import { anonymizeFile, onlyFirst } from './anonymize-file.ts';
import { settingsStamp } from './folder-journal.ts';
import { allGrey, greySentences } from './grey.ts';
import { type MediaFile, makeFolderOf, planFolder } from './media-files.ts';
import type { ProgressLine } from './progress.ts';
import { fileReport } from './report.ts';
import { runWeighted, Turns } from './turns.ts';

export interface FolderRun {
  readonly input: string;
  readonly output: string;
  readonly config: Config;
  /** @param still whether all that there is to do are still pictures */
  readonly engine: (still: boolean) => Promise<Engine>;
  readonly again: boolean;
  /** Replace files in the output folder that no run has made. */
  readonly overwrite?: boolean;
  readonly allowNoFace: boolean;
  readonly stop: AbortSignal;
  /** Whether the outputs were dropped by a second signal: what fails then fails because of that. */
  readonly dropped?: () => boolean;
  readonly progress: ProgressLine;
  /** Hashes and counts per file are gathered only when somebody wants them. */
  readonly report: boolean;
  /** Where the report goes, so that it replaces none of the files. */
  readonly reportPath?: string;
}

export interface FolderOutcome {
  readonly exitCode: number;
  readonly files: readonly object[];
  readonly skipped: readonly string[];
  readonly notMedia: readonly string[];
}

const say = (sentence: string): void => void process.stderr.write(`understudy: ${sentence}\n`);

/** Pictures under way at once: while one is decoded or written the networks work on another. */
const PICTURES_AT_ONCE = 4;
/** Together they have no more pixels than this, but for one that is larger: each takes some ten bytes a pixel. */
const PIXELS_AT_ONCE = 60_000_000;

/** Of a picture whose header does not tell its size; few have more pixels. */
const PIXELS_A_BYTE = 4;

/** The part of what may be under way that a file takes; recordings keep all stages busy by themselves. */
function weightOf({ input }: MediaFile): number {
  try {
    const kind = stillKind(input);
    if (!kind) return 1;
    const size = stillSize(input, kind);
    const pixels = size ? size.width * size.height : PIXELS_A_BYTE * statSync(input).size;
    return Math.max(1 / PICTURES_AT_ONCE, pixels / PIXELS_AT_ONCE);
  } catch {
    // It cannot be read: what anonymizes it says so.
    return 1;
  }
}

/**
 * All pictures and recordings of a folder. What fails is said and left out, and the rest goes on;
 * a second run does what is missing. The exit code is the first failure's, else 3 when a file had no face.
 * @throws UnderstudyError when nothing can be done at all
 */
export async function runFolder(run: FolderRun): Promise<FolderOutcome> {
  const { input, output, config, stop } = run;
  const { again, overwrite = false } = run;
  const { todo, done, refused, other, journal } = planFolder(input, output, {
    ...{ again, overwrite, settings: settingsStamp(config) },
  });
  const all = [...todo, ...done];
  if (run.reportPath !== undefined)
    checkReport(
      run.reportPath,
      [...all, ...refused].map((file) => file.input),
      all.map((file) => file.output),
    );
  if (other.length > 0) say(`${other.length} of the files in ${input} are neither pictures nor videos by their names`);
  if (done.length > 0) say(`${done.length} of the files in ${input} are done already; --again does them once more`);
  const reports: (object | undefined)[] = [];
  const failures: number[] = [];
  const withoutFaceBefore = done.filter((file) => file.outcome === 'no-face').map((file) => file.input);
  let faceless = withoutFaceBefore.length;
  if (faceless > 0 && !run.allowNoFace)
    say(`no face was found before in ${withoutFaceBefore.join(', ')}; look at what came of it before you trust it`);
  for (const { error } of refused) say(`${error.message}; ${error.remedy}`);
  const still = todo.every((file) => isStillName(file.output));
  const turns = new Turns();
  /** Pictures that came out veiled while others were under way, one of which may have brought the workers down. */
  const veiled: number[] = [];
  const anonymize = async (i: number, alone: boolean) => {
    const file = todo[i]!;
    const turn = turns.next();
    const progress = run.progress.ofFile(`${i + 1}/${todo.length} ${file.input}`);
    let begun = false;
    try {
      makeFolderOf(file.output);
      const outcome = await anonymizeFile({
        ...file,
        config,
        stop,
        turn,
        streamId: i,
        engine: () => run.engine(still),
        onStart: (total) => progress.start(total),
        onFrame: (p) => {
          begun = true;
          progress.frame(p);
        },
      });
      const { result } = outcome;
      // Stopped before its first picture: there is no output.
      if (stop.aborted && result.audit.totals.frames === 0) return;
      progress.end(result);
      if (outcome.still && result.audit.totals.veiledFrames > 0 && !stop.aborted) {
        journal.record(file.input, file.output, 'incomplete');
        if (alone) throw leftGrey(file);
        veiled.push(i);
        return;
      }
      const none = withoutFace(result.audit.totals);
      const grey = allGrey(file.output, result.audit.totals);
      const whole = !result.early && !grey;
      journal.record(file.input, file.output, whole ? (none ? 'no-face' : 'faces') : 'incomplete');
      // Not before it is written down: hashing takes long, and a run that is killed meanwhile would take its own file for another's.
      if (run.report) reports[i] = await fileReport(file.input, file.output, outcome);
      if (outcome.further) say(onlyFirst(file.input, file.output));
      for (const sentence of greySentences(file.input, file.output, result.audit.totals)) say(sentence);
      if (result.sourceError) throw result.sourceError;
      if (grey && !stop.aborted) throw grey;
      if (none) {
        faceless++;
        if (!run.allowNoFace) say(`no face was found in ${file.input}; look at ${file.output} before you trust it`);
      }
    } catch (error) {
      // What fails before a file's first picture then, fails because of the signal: a terminal sends it to ffprobe too.
      if (stop.aborted && (!begun || run.dropped?.())) return;
      // Only what is wrong with this one file: a fault of the program, or a missing model, would repeat itself.
      if (!(error instanceof UnderstudyError) || !FILE_FAILURES.has(error.exitCode)) throw error;
      failures[i] = error.exitCode;
      say(`${error.message}; ${error.remedy}`);
      if (run.report) reports[i] = { input: { path: file.input }, failure: error.message };
    } finally {
      turn.done();
    }
  };
  await runWeighted({ jobs: todo, weightOf, run: (_, i) => anonymize(i, false), stop });
  await runWeighted({ jobs: veiled, weightOf: () => 1, run: (i) => anonymize(i, true), stop });
  const noFace = faceless > 0 && !run.allowNoFace ? ExitCode.noFace : ExitCode.ok;
  return {
    exitCode: stop.aborted
      ? ExitCode.interrupted
      : (Object.values(failures)[0] ?? refused[0]?.error.exitCode ?? noFace),
    files: [
      ...(Object.values(reports) as object[]),
      ...refused.map(({ input: path, error }) => ({ input: { path }, failure: error.message })),
    ],
    skipped: done.map((f) => f.input),
    notMedia: other,
  };
}

const leftGrey = ({ input, output }: MediaFile) =>
  new UnderstudyError(
    ExitCode.tool,
    `${input} could not be looked at or drawn, twice: all of ${output} is grey`,
    'run the folder once more, and understudy doctor should that happen again',
  );

const FILE_FAILURES: ReadonlySet<number> = new Set([ExitCode.input, ExitCode.output, ExitCode.tool]);
