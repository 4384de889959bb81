import { statSync } from 'node:fs';
import { compareFaces } from './compare-faces.ts';
import type { FaceRecord } from './face-record.ts';
import type { FaceObserver } from './observer.ts';
import type { FilePair, LeftOut, People } from './pairs.ts';
import { RecordStore } from './record-store.ts';
import { readPicture } from './y4m.ts';

export interface EvaluateOptions {
  readonly observer: FaceObserver;
  readonly people: People;
  /** File that keeps what has been measured; undefined: nothing is kept. */
  readonly recordsPath?: string;
  readonly onPair?: (done: number) => void;
}

/** Measures all picture pairs one after the other; what cannot be measured is listed with its reason. */
export async function evaluatePairs(pairs: readonly FilePair[], options: EvaluateOptions) {
  const store = new RecordStore(options.recordsPath);
  const records: FaceRecord[] = [];
  const leftOut: LeftOut[] = [];
  for (const [i, pair] of pairs.entries()) {
    const { name } = pair.original;
    try {
      const key = [name, ...[pair.original, pair.anonymized].map((f) => stamp(f.path))].join(' ');
      let measured = store.get(key);
      if (!measured) {
        const outcome = await measure(pair, options);
        if (typeof outcome === 'string') leftOut.push({ name, reason: outcome });
        else store.put(key, outcome);
        measured = typeof outcome === 'string' ? [] : outcome;
      }
      records.push(...measured);
    } catch (error) {
      leftOut.push({ name, reason: (error as Error).message });
    }
    options.onPair?.(i + 1);
  }
  return { records, leftOut };
}

async function measure(pair: FilePair, { observer, people }: EvaluateOptions): Promise<FaceRecord[] | string> {
  const [original, anonymized] = [await readPicture(pair.original.path), await readPicture(pair.anonymized.path)];
  const [a, b] = [original.format, anonymized.format];
  if (a.width !== b.width || a.height !== b.height)
    return `sizes differ: ${a.width}×${a.height} and ${b.width}×${b.height}`;
  const { name } = pair.original;
  const faces = await compareFaces(observer, name, people.personOf(name), { original, anonymized });
  return faces.length > 0 ? faces : 'no face found in the original';
}

function stamp(path: string): string {
  const { size, mtimeMs } = statSync(path);
  return `${size}:${Math.round(mtimeMs)}`;
}
