import { existsSync, mkdirSync, readdirSync, realpathSync, statSync } from 'node:fs';
import { dirname, extname, join, relative } from 'node:path';
import type { UnderstudyError } from '../core/errors.ts';
import { outputError, realTarget } from '../egress/file/output-path.ts';
import { inputError } from '../ingest/file/probe.ts';
import { FolderJournal, type Outcome } from './folder-journal.ts';

/** Names that are tried, and the name each output ends in: unchanged where it can be written in the same form. */
const OUTPUT_ENDING: Record<string, string> = {
  ...Object.fromEntries(
    ['.jpg', '.jpeg', '.png', '.webp', '.mp4', '.m4v', '.mov', '.mkv', '.webm'].map((e) => [e, '']),
  ),
  ...Object.fromEntries(['.bmp', '.tif', '.tiff'].map((e) => [e, '.png'])),
  ...Object.fromEntries(
    ['.avi', '.mpg', '.mpeg', '.ts', '.mts', '.m2ts', '.wmv', '.flv', '.3gp', '.gif', '.ogv'].map((e) => [e, '.mp4']),
  ),
};

export interface MediaFile {
  readonly input: string;
  readonly output: string;
}

export interface FolderPlan {
  readonly todo: readonly MediaFile[];
  /** Outputs that an earlier run has completed and nobody has touched since, nor their inputs. */
  readonly done: readonly (MediaFile & { readonly outcome: Outcome })[];
  /** Inputs that are left out, for their outputs would replace something that must stay. */
  readonly refused: readonly { readonly input: string; readonly error: UnderstudyError }[];
  readonly journal: FolderJournal;
  /** Files that are neither pictures nor videos by their names. */
  readonly other: readonly string[];
}

export interface PlanOptions {
  /** Do everything once more. */
  readonly again: boolean;
  /** Replace files in the output folder that no run has made. */
  readonly overwrite: boolean;
  /** Of this run, as `settingsStamp` makes them. */
  readonly settings: string;
}

/**
 * What there is to do for a folder of pictures and recordings, subfolders included. Hidden files are left out, and so is
 * the output folder when it lies in the input folder.
 * @throws UnderstudyError(input|output)
 */
export function planFolder(inputFolder: string, outputFolder: string, options: PlanOptions): FolderPlan {
  const into = realTarget(outputFolder);
  checkFolders(inputFolder, outputFolder, into);
  const journal = new FolderJournal(outputFolder, options.settings);
  const found = list(inputFolder, into);
  const other = found.filter((input) => endingOf(input) === undefined);
  const files = found
    .filter((input) => endingOf(input) !== undefined)
    .map((input) => ({ input, output: join(outputFolder, relative(inputFolder, input) + endingOf(input)) }));
  if (files.length === 0)
    throw inputError(`there is no picture and no video in the folder ${inputFolder}`, 'check the name of the folder');
  const reasonAgainst = refusals(found, files, journal, options.overwrite);
  const plan = {
    ...{ todo: [] as MediaFile[], done: [] as FolderPlan['done'][number][], other, journal },
    refused: [] as FolderPlan['refused'][number][],
  };
  for (const { input, output } of files) {
    const error = reasonAgainst({ input, output });
    const outcome = options.again ? undefined : journal.outcomeOf(input, output);
    if (error) plan.refused.push({ input, error });
    else if (outcome) plan.done.push({ input, output, outcome });
    else plan.todo.push({ input, output });
  }
  return plan;
}

/** @param into where the output folder really is @throws UnderstudyError(input|output) */
function checkFolders(inputFolder: string, outputFolder: string, into: string): void {
  if (into === realpathSync(inputFolder))
    throw outputError(`the output folder ${outputFolder} is the input folder`, 'name another one');
  if (existsSync(into) && !statSync(into).isDirectory())
    throw outputError(`the output ${outputFolder} is a file and the input is a folder`, 'name a folder');
  if (!existsSync(into) && endingOf(into) !== undefined)
    throw inputError(
      `the input ${inputFolder} is a folder and the output ${outputFolder} a file`,
      'name two of a kind',
    );
  if (!existsSync(dirname(into)))
    throw outputError(`the folder ${dirname(into)} does not exist`, 'make it, or name another output');
}

const endingOf = (path: string): string | undefined => OUTPUT_ENDING[extname(path).toLowerCase()];

/** Says why an output may not be written, undefined when it may. @param found all files of the input folder */
function refusals(
  found: readonly string[],
  files: readonly MediaFile[],
  journal: FolderJournal,
  overwrite: boolean,
): (file: MediaFile) => UnderstudyError | undefined {
  const inputs = new Set(found.map(identity));
  const inputsOf = new Map<string, string[]>();
  for (const { input, output } of files) inputsOf.set(output, [...(inputsOf.get(output) ?? []), input]);
  return ({ input, output }) => {
    const rivals = inputsOf.get(output)!.filter((other) => other !== input);
    if (rivals.length > 0)
      return outputError(`${input} and ${rivals.join(', ')} would both become ${output}`, 'rename one of them');
    if (!existsSync(output)) return undefined;
    if (inputs.has(identity(output)))
      return outputError(
        `the output ${output} is an input: an original would be overwritten`,
        'name another output folder',
      );
    if (overwrite || journal.knows(output)) return undefined;
    return outputError(
      `the output ${output} is there already, and no run has made it`,
      'move it away, or replace it by --overwrite',
    );
  };
}

/** The same for all names of one file. */
function identity(path: string): string {
  const { dev, ino } = statSync(path);
  return `${dev}:${ino}`;
}

/** @throws UnderstudyError(output) */
export function makeFolderOf(output: string): void {
  try {
    mkdirSync(dirname(output), { recursive: true });
  } catch (cause) {
    throw outputError(
      `the folder ${dirname(output)} cannot be made (${(cause as Error).message})`,
      'change the permissions above it, or name another output',
    );
  }
}

/** @param leaveOut a folder, where it really is */
function list(folder: string, leaveOut: string): string[] {
  let entries: ReturnType<typeof readNames>;
  try {
    entries = readNames(folder);
  } catch {
    throw inputError(`the folder ${folder} cannot be read`, 'check its permissions');
  }
  return entries.flatMap((entry) => {
    const path = join(folder, entry.name);
    if (entry.name.startsWith('.') || (entry.isDirectory() && realTarget(path) === leaveOut)) return [];
    if (entry.isDirectory()) return list(path, leaveOut);
    return entry.isFile() || (entry.isSymbolicLink() && isFile(path)) ? [path] : [];
  });
}

function readNames(folder: string) {
  return readdirSync(folder, { withFileTypes: true }).sort((a, b) => (a.name < b.name ? -1 : 1));
}

function isFile(path: string): boolean {
  return existsSync(path) && statSync(path).isFile();
}
