import { createHash, randomBytes } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ExitCode, UnderstudyError } from '../core/errors.ts';
import { outputError } from '../egress/file/output-path.ts';
import type { InputFile } from '../evaluate/pairs.ts';

/**
 * The key of everything that is made in a work folder: the configured one, else one that is drawn once and kept there, so
 * that a run that goes on does not mix the outputs of two. Who can read the folder has embeddings of the originals anyway.
 * @param configured '' or undefined: none @returns hexadecimal digits
 * @throws UnderstudyError (output, input) when none can be kept, or what is kept is none
 */
export function workKey(folder: string, configured: string | undefined): string {
  if (configured) return configured;
  const path = join(folder, '.session-key');
  try {
    // Two runs that begin at once must not end up with a key each.
    writeFileSync(path, `${randomBytes(32).toString('hex')}\n`, { mode: 0o600, flag: 'wx' });
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== 'EEXIST')
      throw outputError(`the session key ${path} cannot be kept (${(cause as Error).message})`, 'give another --work');
  }
  const key = readFileSync(path, 'utf8').trim();
  if (/^[0-9a-f]{64}$/.test(key)) return key;
  throw new UnderstudyError(ExitCode.input, `${path} holds no session key`, 'give another --work, or delete this one');
}

/** The n-th key of a work folder, from its first one: nobody's, and the same whenever it is asked for. */
export function furtherKey(key: string, n: number): string {
  return n === 1 ? key : createHash('sha256').update(`${key} ${n}`).digest('hex');
}

/** What tells one key from another without being it: 16 hexadecimal digits. */
export function keyMark(key: string): string {
  return createHash('sha256').update('understudy evaluate, key ').update(key.toLowerCase()).digest('hex').slice(0, 16);
}

/**
 * The number of each file's stream, from which its understudies follow. Kept, and only ever added to: with a file more
 * in front, the others must not become somebody else, or two of them the same person.
 * @throws UnderstudyError(input) when what is kept cannot be read
 */
export function streamNumbers(folder: string, files: readonly InputFile[]): ReadonlyMap<InputFile, number> {
  const path = join(folder, '.streams.json');
  const known = existsSync(path) ? readNames(path) : [];
  const places = new Map(known.map((name, i) => [name, i]));
  const numbers = new Map<InputFile, number>();
  for (const file of files) {
    const name = `${file.kind} ${file.name}`;
    const place = places.get(name) ?? places.size;
    places.set(name, place);
    numbers.set(file, place);
  }
  if (places.size > known.length) writeFileSync(path, JSON.stringify([...places.keys()]));
  return numbers;
}

function readNames(path: string): string[] {
  try {
    const names: unknown = JSON.parse(readFileSync(path, 'utf8'));
    if (Array.isArray(names) && names.every((n) => typeof n === 'string')) return names;
    throw new Error('no list of names');
  } catch (cause) {
    const remedy = 'give another --work, or delete this one';
    throw new UnderstudyError(ExitCode.input, `${path} cannot be read`, remedy, { cause });
  }
}
