import { accessSync, constants, existsSync, readlinkSync, realpathSync, statSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { ExitCode, UnderstudyError } from '../../core/errors.ts';

/** Of a file's name, so that the temporary name beside it fits what file systems take, 255 bytes. */
const MAX_NAME_BYTES = 230;

export function outputError(message: string, remedy: string): UnderstudyError {
  return new UnderstudyError(ExitCode.output, message, remedy);
}

/** Where a path leads, through all symbolic links, also when nothing is there yet. */
export function realTarget(path: string): string {
  const full = resolve(path);
  try {
    return realpathSync(full);
  } catch {
    const folder = dirname(full);
    if (folder === full) return full;
    const here = join(realTarget(folder), basename(full));
    try {
      // A link to what is not there yet: written to, it makes that.
      return realTarget(resolve(dirname(here), readlinkSync(here)));
    } catch {
      return here;
    }
  }
}

/** The same file, also under another name: a symbolic or a hard link. Neither needs to be there yet. */
export function sameFile(a: string, b: string): boolean {
  if (!existsSync(a) || !existsSync(b)) return realTarget(a) === realTarget(b);
  const [first, second] = [statSync(a), statSync(b)];
  return first.dev === second.dev && first.ino === second.ino;
}

/** Every way an output name can be wrong, before anything is decoded. @throws UnderstudyError(output) */
export function checkOutput(path: string, inputPath?: string): void {
  const folder = dirname(resolve(path));
  if (!existsSync(folder)) throw outputError(`the folder ${folder} does not exist`, 'make it, or name another output');
  try {
    accessSync(folder, constants.W_OK);
  } catch {
    throw outputError(`the folder ${folder} is not writable`, 'change its permissions, or name another output');
  }
  if (Buffer.byteLength(basename(path)) > MAX_NAME_BYTES)
    throw outputError(`the name of the output ${path} is too long`, `shorten it to ${MAX_NAME_BYTES} bytes`);
  if (inputPath && existsSync(inputPath) && sameFile(inputPath, path)) {
    throw outputError(`the output ${path} is the input`, 'name another output: the original would be overwritten');
  }
  if (existsSync(path) && statSync(path).isDirectory())
    throw outputError(`the output ${path} is a folder`, 'name a file in it');
}

/**
 * A report that cannot be written is found out before the work is done, and one that would replace what it reports on.
 * @throws UnderstudyError(output)
 */
export function checkReport(path: string, inputs: readonly string[], outputs: readonly string[]): void {
  checkOutput(path);
  const taken = (files: readonly string[]) => files.some((file) => sameFile(file, path));
  if (taken(inputs)) throw outputError(`the report ${path} is the input`, 'give the report a name of its own');
  if (taken(outputs)) throw outputError(`the report ${path} is the output`, 'give the report a name of its own');
}
