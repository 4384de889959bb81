import type { FaceRecord } from './face-record.ts';
import { Measurements } from './measurements.ts';
import type { Measurer } from './measurer.ts';
import type { FilePair, People } from './pairs.ts';
import { RecordStore, recordKey } from './record-store.ts';

export interface PairOptions {
  readonly measurer: Pick<Measurer, 'pair' | 'mark'>;
  readonly people: People;
  /** File that keeps what has been measured; undefined: nothing is kept. */
  readonly recordsPath?: string;
  readonly onPair?: (done: number) => void;
}

/** Measures pairs of pictures as they are added; what is in the records already is not measured again. */
export class PairMeasurements {
  readonly #options: PairOptions;
  readonly #store: RecordStore;
  readonly #gathered: Measurements<FaceRecord>;

  constructor(options: PairOptions) {
    this.#options = options;
    this.#store = new RecordStore(options.recordsPath);
    this.#gathered = new Measurements(options.onPair);
  }

  add(pair: FilePair): void {
    this.#gathered.add(pair.original.name, () => this.#measured(pair));
  }

  async finish() {
    const { results, leftOut } = await this.#gathered.finish();
    return { records: results, leftOut };
  }

  async #measured(pair: FilePair): Promise<FaceRecord[]> {
    const { original, anonymized } = pair;
    const { measurer, people } = this.#options;
    const person = people.personOf(original.name);
    const key = recordKey(original.name, [measurer.mark, person], [original, anonymized]);
    return this.#store.take(key, () => measurer.pair(pair, person));
  }
}

/** All pairs, as many at once as the measurer has threads. */
export function evaluatePairs(pairs: readonly FilePair[], options: PairOptions) {
  const measurements = new PairMeasurements(options);
  for (const pair of pairs) measurements.add(pair);
  return measurements.finish();
}
