import { createHash } from 'node:crypto';
import { appendFileSync, existsSync, readFileSync, statSync } from 'node:fs';
import { resolve } from 'node:path';
import type { FaceRecord } from './face-record.ts';

interface Line<T> {
  readonly key: string;
  readonly records: T[];
}

/** Every face in a file of records, as it was measured last. */
export function readRecords(path: string): FaceRecord[] {
  const last = new Map<string, FaceRecord[]>();
  for (const records of readLines<FaceRecord>(path).values()) {
    const name = records[0]?.name;
    if (name === undefined) continue;
    last.delete(name);
    last.set(name, records);
  }
  return [...last.values()].flat();
}

function readLines<T>(path: string): Map<string, T[]> {
  const known = new Map<string, T[]>();
  for (const text of readFileSync(path, 'utf8').split('\n')) {
    try {
      const line = JSON.parse(text, revive) as Line<T>;
      known.set(line.key, line.records);
    } catch {
      // The last line of a run that was killed: that file is measured again.
    }
  }
  return known;
}

/**
 * What a measurement rests on, for `RecordStore`.
 * @param how what else it depends on: the judges, and how they were asked @param files whose place, size and time count: two methods' outputs
 * of one name may be as large and as old as each other
 */
export function recordKey(name: string, how: readonly unknown[], files: readonly { readonly path: string }[]): string {
  const asked = createHash('sha256')
    .update(JSON.stringify([how, files.map((f) => resolve(f.path))]))
    .digest('hex')
    .slice(0, 16);
  return [name, ...files.map((f) => stamp(f.path)), asked].join(' ');
}

function stamp(path: string): string {
  const { size, mtimeMs } = statSync(path);
  return `${size}:${mtimeMs}`;
}

/**
 * What has been measured, one line of JSON a file or a pair, so that a run that was stopped goes on where it was. A line
 * counts only for the very files and judges it was measured with, which its key holds (`recordKey`).
 */
export class RecordStore<T = FaceRecord> {
  readonly #path: string | undefined;
  readonly #known: ReadonlyMap<string, T[]>;

  /** @param path undefined: nothing is kept */
  constructor(path: string | undefined) {
    this.#path = path;
    this.#known = path && existsSync(path) ? readLines<T>(path) : new Map();
  }

  /** What is known by this key, else what `measure` answers, which is kept then. */
  async take(key: string, measure: () => Promise<T[]>): Promise<T[]> {
    const known = this.#known.get(key);
    if (known) return known;
    const records = await measure();
    if (this.#path) appendFileSync(this.#path, `${JSON.stringify({ key, records }, replace)}\n`, { mode: 0o600 });
    return records;
  }
}

function replace(_: string, value: unknown): unknown {
  if (value instanceof Float32Array)
    return { f32: Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString('base64') };
  if (value instanceof Uint8Array) return { u8: Buffer.from(value).toString('base64') };
  return typeof value === 'number' && Number.isNaN(value) ? { nan: true } : value;
}

function revive(_: string, value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value;
  if ('f32' in value) return new Float32Array(Uint8Array.from(Buffer.from(value.f32 as string, 'base64')).buffer);
  if ('u8' in value) return Uint8Array.from(Buffer.from(value.u8 as string, 'base64'));
  return 'nan' in value ? Number.NaN : value;
}
