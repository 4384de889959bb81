import { readdirSync, readFileSync, statSync } from 'node:fs';
import { basename, extname, join } from 'node:path';
import { ExitCode, UnderstudyError } from '../core/errors.ts';

const PICTURES = ['.jpg', '.jpeg', '.png', '.webp', '.bmp'];
const VIDEOS = ['.mp4', '.mov', '.mkv', '.webm', '.avi', '.mpg', '.gif', '.m4v'];

/** Groups of the people in a folder's pictures, when they lie beside these. */
export const GROUPS_FILE = 'info.csv';

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

/** What a folder holds. */
export interface Listing {
  readonly files: InputFile[];
  /** Files that share kind and name: which of them was meant cannot be told, so that none counts. */
  readonly ambiguous: LeftOut[];
  /** Whatever is neither a picture nor a video, but for the groups. */
  readonly other: LeftOut[];
}

/**
 * Pictures and videos of a folder, by name.
 * @param match only names that contain this
 * @throws UnderstudyError(input) when the folder cannot be read or holds none
 */
export function listInputs(folder: string, match = ''): InputFile[] {
  const { files, ambiguous } = listFolder(folder, match);
  if (files.length > 0) return files;
  const which = match ? `whose name contains "${match}"` : `(${[...PICTURES, ...VIDEOS].join(' ')})`;
  const why = ambiguous[0] ? `${folder}: ${ambiguous[0].reason}` : `${folder} holds no picture or video ${which}`;
  throw new UnderstudyError(ExitCode.input, why, ambiguous[0] ? 'keep one of them' : 'name another folder');
}

/** The same with what does not count, which may be nothing but that. @throws UnderstudyError(input) when the folder cannot be read */
export function listFolder(folder: string, match = ''): Listing {
  let names: string[];
  try {
    names = statSync(folder).isDirectory() ? readdirSync(folder) : [];
  } catch (cause) {
    throw new UnderstudyError(ExitCode.input, `the folder ${folder} cannot be read`, 'name an existing folder', {
      cause,
    });
  }
  const byName = new Map<string, InputFile[]>();
  const other: LeftOut[] = [];
  for (const entry of names.sort()) {
    const extension = extname(entry).toLowerCase();
    const name = basename(entry, extname(entry));
    if (entry.startsWith('.') || entry === GROUPS_FILE || !name.includes(match)) continue;
    if (![...PICTURES, ...VIDEOS].includes(extension)) {
      other.push({ name: entry, reason: `no picture or video that is read (${[...PICTURES, ...VIDEOS].join(' ')})` });
      continue;
    }
    const kind = VIDEOS.includes(extension) ? 'video' : 'picture';
    const same = byName.get(`${kind} ${name}`) ?? [];
    byName.set(`${kind} ${name}`, [...same, { name, path: join(folder, entry), kind }]);
  }
  const all = [...byName.values()].sort(([a], [b]) => (a!.name < b!.name ? -1 : 1));
  return {
    files: all.filter((same) => same.length === 1).map(([file]) => file!),
    ambiguous: all
      .filter((same) => same.length > 1)
      .map((same) => ({
        name: same[0]!.name,
        reason: `several files have this name: ${same.map(fileName).join(', ')}`,
      })),
    other,
  };
}

const fileName = ({ path }: InputFile) => basename(path);

/** Pairs files by name; those without a partner are listed with the reason. */
export function pairByName(originals: readonly InputFile[], anonymized: readonly InputFile[]) {
  const pairs: FilePair[] = [];
  const leftOut: LeftOut[] = [];
  const key = ({ kind, name }: InputFile) => `${kind} ${name}`;
  const outputs = new Map(anonymized.map((f) => [key(f), f]));
  for (const original of originals) {
    const output = outputs.get(key(original));
    if (output) pairs.push({ original, anonymized: output });
    else leftOut.push({ name: original.name, reason: 'no anonymized file of this name' });
    outputs.delete(key(original));
  }
  for (const { name } of outputs.values()) leftOut.push({ name, reason: 'no original of this name' });
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
