import { existsSync, mkdirSync, readdirSync, realpathSync, statSync } from 'node:fs';
import { dirname, extname, join, relative, resolve } from 'node:path';
import { outputError } from '../egress/file/output-path.ts';
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
  readonly journal: FolderJournal;
  /** Files that are neither pictures nor videos by their names. */
  readonly other: readonly string[];
}

/**
 * What there is to do for a folder of pictures and recordings, subfolders included. Hidden files are left out, and so is
 * the output folder when it lies in the input folder.
 * @param again do everything once more
 * @throws UnderstudyError(input|output)
 */
export function planFolder(inputFolder: string, outputFolder: string, again: boolean): FolderPlan {
  const into = resolve(outputFolder);
  if (existsSync(into) && realpathSync(into) === realpathSync(inputFolder))
    throw outputError(`the output folder ${outputFolder} is the input folder`, 'name another one');
  if (existsSync(into) && !statSync(into).isDirectory())
    throw outputError(`the output ${outputFolder} is a file and the input is a folder`, 'name a folder');
  if (!existsSync(into) && OUTPUT_ENDING[extname(into).toLowerCase()] !== undefined)
    throw inputError(
      `the input ${inputFolder} is a folder and the output ${outputFolder} a file`,
      'name two of a kind',
    );
  if (!existsSync(dirname(into)))
    throw outputError(`the folder ${dirname(into)} does not exist`, 'make it, or name another output');
  const journal = new FolderJournal(outputFolder);
  const plan = { todo: [] as MediaFile[], done: [] as FolderPlan['done'][number][], other: [] as string[], journal };
  for (const input of list(inputFolder, into)) {
    const ending = OUTPUT_ENDING[extname(input).toLowerCase()];
    if (ending === undefined) {
      plan.other.push(input);
      continue;
    }
    const output = join(outputFolder, relative(inputFolder, input) + ending);
    const outcome = again ? undefined : journal.outcomeOf(input, output);
    if (outcome) plan.done.push({ input, output, outcome });
    else plan.todo.push({ input, output });
  }
  if (plan.todo.length + plan.done.length === 0)
    throw inputError(`there is no picture and no video in the folder ${inputFolder}`, 'check the name of the folder');
  return plan;
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

function list(folder: string, leaveOut: string): string[] {
  let entries: ReturnType<typeof readNames>;
  try {
    entries = readNames(folder);
  } catch {
    throw inputError(`the folder ${folder} cannot be read`, 'check its permissions');
  }
  return entries.flatMap((entry) => {
    const path = join(folder, entry.name);
    if (entry.name.startsWith('.') || resolve(path) === leaveOut) return [];
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
