import { createHash } from 'node:crypto';
import { appendFileSync, existsSync, readFileSync, statSync } from 'node:fs';
import { join, relative } from 'node:path';
import type { Config } from '../config/loader.ts';
import { outputError } from '../egress/file/output-path.ts';

/** Hidden, so that no run takes it for something to do. */
const NAME = '.understudy.jsonl';

/** `incomplete`: there is a file, made by a run, but it has to be done once more. */
export type Outcome = 'faces' | 'no-face' | 'incomplete';

interface Entry {
  readonly output: string;
  readonly input: string;
  readonly made: string;
  readonly outcome: Outcome;
  /** What it was made with; another mode makes another file. */
  readonly settings?: string;
}

/**
 * What runs into an output folder have completed, a line of JSON a file: that a file of the right name is there says nothing,
 * it may be a copy of the original. An entry counts for the very input and output, by size and time, and for the same settings.
 */
export class FolderJournal {
  readonly #folder: string;
  readonly #settings: string;
  readonly #entries = new Map<string, Entry>();

  /**
   * @param settings of this run, as `settingsStamp` makes them
   * @throws UnderstudyError(output)
   */
  constructor(folder: string, settings: string) {
    this.#folder = folder;
    this.#settings = settings;
    const path = join(folder, NAME);
    if (!existsSync(path)) return;
    for (const line of readJournal(path).split('\n')) {
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
    const entry = this.#entryOf(output);
    if (!entry || entry.outcome === 'incomplete' || !existsSync(output)) return undefined;
    const same = entry.settings === this.#settings && entry.input === stamp(input) && entry.made === stamp(output);
    return same ? entry.outcome : undefined;
  }

  /** Whether a run has made a file of this name before, so that it may be replaced. */
  knows(output: string): boolean {
    return this.#entryOf(output) !== undefined;
  }

  #entryOf(output: string): Entry | undefined {
    return this.#entries.get(relative(this.#folder, output));
  }

  /** @throws UnderstudyError(output) */
  record(input: string, output: string, outcome: Outcome): void {
    const [name, settings] = [relative(this.#folder, output), this.#settings];
    const entry: Entry = { output: name, input: stamp(input), made: stamp(output), outcome, settings };
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

/** Without it all that runs have made would pass for somebody else's. */
function readJournal(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (cause) {
    throw outputError(
      `${path} cannot be read (${(cause as Error).message})`,
      'change its permissions, or move it away',
    );
  }
}

function stamp(path: string): string {
  const { size, mtimeMs } = statSync(path);
  return `${size}:${Math.round(mtimeMs)}`;
}

/** Of the settings that can be seen in an output; the session key is none: without one each run draws another. */
export function settingsStamp({ mode, ingest, detect, track, infer, post, egress }: Config): string {
  const { detail, truncation, precision } = infer;
  const seen = { mode, ingest, detect, track, detail, truncation, precision, post, egress };
  return createHash('sha256').update(JSON.stringify(seen)).digest('hex').slice(0, 16);
}
