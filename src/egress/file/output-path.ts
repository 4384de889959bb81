import { accessSync, constants, existsSync, statSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { ExitCode, UnderstudyError } from '../../core/errors.ts';

export function outputError(message: string, remedy: string): UnderstudyError {
  return new UnderstudyError(ExitCode.output, message, remedy);
}

/** The same file, also under another name: a symbolic or a hard link. */
function sameFile(a: string, b: string): boolean {
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
  if (!existsSync(path)) return;
  if (statSync(path).isDirectory()) throw outputError(`the output ${path} is a folder`, 'name a file in it');
  if (inputPath && existsSync(inputPath) && sameFile(inputPath, path)) {
    throw outputError(`the output ${path} is the input`, 'name another output: the original would be overwritten');
  }
}
