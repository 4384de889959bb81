import { readdirSync, readFileSync, statSync } from 'node:fs';
import { basename, extname, join } from 'node:path';
import { ExitCode, UnderstudyError } from '../core/errors.ts';

const PICTURES = ['.jpg', '.jpeg', '.png', '.webp', '.bmp'];
const VIDEOS = ['.mp4', '.mov', '.mkv', '.webm', '.avi', '.mpg', '.gif', '.m4v'];

export type Groups = Readonly<Record<string, string>>;

export interface InputFile {
  /** File name without extension: what pairs are made by. */
  readonly name: string;
  readonly path: string;
  readonly kind: 'picture' | 'video';
}

export interface FilePair {
  readonly original: InputFile;
  readonly anonymized: InputFile;
}

/** A picture that does not count, and why. Everything left out is in one of these lists: nothing is dropped silently. */
export interface LeftOut {
  readonly name: string;
  readonly reason: string;
}

/**
 * Pictures and videos of a folder, by name.
 * @param match only names that contain this
 * @throws UnderstudyError(input) when the folder cannot be read or holds none
 */
export function listInputs(folder: string, match = ''): InputFile[] {
  let names: string[];
  try {
    names = statSync(folder).isDirectory() ? readdirSync(folder) : [];
  } catch (cause) {
    throw new UnderstudyError(ExitCode.input, `the folder ${folder} cannot be read`, 'name an existing folder', {
      cause,
    });
  }
  const files = names
    .filter((n) => !n.startsWith('.'))
    .map((n) => ({ name: basename(n, extname(n)), path: join(folder, n), extension: extname(n).toLowerCase() }))
    .filter((f) => [...PICTURES, ...VIDEOS].includes(f.extension) && f.name.includes(match))
    .map(
      ({ name, path, extension }): InputFile => ({
        name,
        path,
        kind: VIDEOS.includes(extension) ? 'video' : 'picture',
      }),
    )
    .sort((a, b) => (a.name < b.name ? -1 : 1));
  if (files.length > 0) return files;
  const which = match ? `whose name contains "${match}"` : `(${[...PICTURES, ...VIDEOS].join(' ')})`;
  throw new UnderstudyError(ExitCode.input, `${folder} holds no picture or video ${which}`, 'name another folder');
}

/** Pairs files by name; those without a partner are listed with the reason. */
export function pairByName(originals: readonly InputFile[], anonymized: readonly InputFile[]) {
  const pairs: FilePair[] = [];
  const leftOut: LeftOut[] = [];
  const outputs = new Map(anonymized.map((f) => [f.name, f]));
  for (const original of originals) {
    const output = outputs.get(original.name);
    if (output && output.kind === original.kind) pairs.push({ original, anonymized: output });
    else leftOut.push({ name: original.name, reason: 'no anonymized file of this name' });
    outputs.delete(original.name);
  }
  for (const name of outputs.keys()) leftOut.push({ name, reason: 'no original of this name' });
  return { pairs, leftOut };
}

/**
 * People and their groups from a CSV: the first column is the person's id, with which the names of his pictures begin;
 * age is turned into a band of fifteen years.
 */
export class People {
  readonly #rows = new Map<string, Groups>();

  static read(path: string | undefined): People {
    const people = new People();
    if (!path) return people;
    let text: string;
    try {
      text = readFileSync(path, 'utf8');
    } catch (cause) {
      throw new UnderstudyError(ExitCode.input, `the groups ${path} cannot be read`, 'name a CSV file', { cause });
    }
    const [header, ...lines] = text.split(/\r?\n/).filter((l) => l.trim());
    const columns = (header ?? '').split(',').map((c) => c.trim().replace(/^(face|person)_/, ''));
    for (const line of lines) {
      const cells = line.split(',').map((c) => c.trim());
      const groups = columns
        .slice(1)
        .map((column, i): [string, string] => [groupName(column), cell(column, cells[i + 1])]);
      people.#rows.set(cells[0]!, Object.fromEntries(groups));
    }
    return people;
  }

  /** The person in a picture of this name: the CSV's longest matching id, else the name itself. */
  personOf(name: string): string {
    let best = '';
    for (const id of this.#rows.keys()) if (name.startsWith(id) && id.length > best.length) best = id;
    return best || name;
  }

  groupsOf(person: string): Groups {
    return this.#rows.get(person) ?? {};
  }
}

function groupName(column: string): string {
  return column === 'eth' ? 'ethnicity' : column;
}

function cell(column: string, value = ''): string {
  if (column !== 'age') return value || 'unknown';
  const age = Number.parseFloat(value);
  if (!Number.isFinite(age)) return 'unknown';
  const from = Math.floor(age / 15) * 15;
  return `${from}–${from + 14}`;
}
