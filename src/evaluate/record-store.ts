import { appendFileSync, existsSync, readFileSync } from 'node:fs';
import type { FaceRecord } from './face-record.ts';

interface Line {
  readonly key: string;
  readonly records: FaceRecord[];
}

/** Everything in a file of records. Of a pair that was measured more than once the last counts. */
export function readRecords(path: string): FaceRecord[] {
  return [...readLines(path).values()].flat();
}

function readLines(path: string): Map<string, FaceRecord[]> {
  const known = new Map<string, FaceRecord[]>();
  for (const text of readFileSync(path, 'utf8').split('\n')) {
    try {
      const line = JSON.parse(text, revive) as Line;
      known.set(line.key, line.records);
    } catch {
      // The last line of a run that was killed: that pair is measured again.
    }
  }
  return known;
}

/**
 * What has been measured, one line of JSON a pair, so that a run that was stopped goes on where it was. A line counts only
 * for the very files it was measured on: `key` holds their sizes and times.
 */
export class RecordStore {
  readonly #path: string | undefined;
  readonly #known: ReadonlyMap<string, FaceRecord[]>;

  /** @param path undefined: nothing is kept */
  constructor(path: string | undefined) {
    this.#path = path;
    this.#known = path && existsSync(path) ? readLines(path) : new Map();
  }

  get(key: string): FaceRecord[] | undefined {
    return this.#known.get(key);
  }

  put(key: string, records: FaceRecord[]): void {
    if (this.#path) appendFileSync(this.#path, `${JSON.stringify({ key, records }, replace)}\n`);
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
