import { appendFileSync, existsSync, readFileSync, statSync } from 'node:fs';
import { join, relative } from 'node:path';
import { outputError } from '../egress/file/output-path.ts';

/** Hidden, so that no run takes it for something to do. */
const NAME = '.understudy.jsonl';

export type Outcome = 'faces' | 'no-face';

interface Entry {
  readonly output: string;
  readonly input: string;
  readonly made: string;
  readonly outcome: Outcome;
}

/**
 * What runs into an output folder have completed, a line of JSON a file: that a file of the right name is there says nothing,
 * it may be a copy of the original. An entry counts for the very input and output, by size and time.
 */
export class FolderJournal {
  readonly #folder: string;
  readonly #entries = new Map<string, Entry>();

  constructor(folder: string) {
    this.#folder = folder;
    const path = join(folder, NAME);
    if (!existsSync(path)) return;
    for (const line of readFileSync(path, 'utf8').split('\n')) {
      try {
        const entry = JSON.parse(line) as Entry;
        this.#entries.set(entry.output, entry);
      } catch {
        // The end of a run that was killed: that file is done again.
      }
    }
  }

  /** @returns undefined when it has to be done, again or for the first time */
  outcomeOf(input: string, output: string): Outcome | undefined {
    const entry = this.#entries.get(relative(this.#folder, output));
    if (!entry || !existsSync(output)) return undefined;
    return entry.input === stamp(input) && entry.made === stamp(output) ? entry.outcome : undefined;
  }

  /** @throws UnderstudyError(output) */
  record(input: string, output: string, outcome: Outcome): void {
    const entry = { output: relative(this.#folder, output), input: stamp(input), made: stamp(output), outcome };
    this.#entries.set(entry.output, entry);
    try {
      appendFileSync(join(this.#folder, NAME), `${JSON.stringify(entry)}\n`);
    } catch (cause) {
      throw outputError(
        `${join(this.#folder, NAME)} cannot be written (${(cause as Error).message})`,
        'check the output folder',
      );
    }
  }
}

function stamp(path: string): string {
  const { size, mtimeMs } = statSync(path);
  return `${size}:${Math.round(mtimeMs)}`;
}
