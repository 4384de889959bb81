import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Config } from '../config/loader.ts';
import type { InputFile, LeftOut } from '../evaluate/pairs.ts';
import type { Engine } from '../pipeline/engine.ts';
import { anonymizeFile } from './anonymize-file.ts';
import { allGrey } from './grey.ts';
import { startEngine } from './run.ts';
import { runWeighted, Turns } from './turns.ts';

/** Pictures that are made one by one, with nothing else going on, so that the time a face takes can be told. */
const TIMED = 16;
/** Pictures under way afterwards: while one is decoded or written the networks work on another. */
const AT_ONCE = 4;

export interface SetSettings {
  /** With a key: outputs of earlier runs, by the same one, are taken as they are. */
  readonly config: Config;
  /** Options of the analysis that no setting reaches. */
  readonly track: Readonly<Record<string, unknown>>;
  /** Whether the time a face takes is wanted. */
  readonly timed: boolean;
  /** The number of a file's stream, the same in every run. */
  readonly streamOf: (file: InputFile) => number;
}

export interface AnonymizedSet {
  readonly leftOut: LeftOut[];
  /** Median over the first pictures of landmarks, generation and drawing, ms, without the search for faces; kept in the folder. */
  readonly timePerFaceMs?: number;
}

/** Where the output of a file of the set lies. */
export function outputOf(file: InputFile, folder: string): string {
  return join(folder, `${file.name}${file.kind === 'picture' ? '.jpg' : '.mp4'}`);
}

/**
 * What `understudy run` does, on every file that has no output in `folder` yet: same pipeline, same encoding, no sound.
 * The engine and its key are shared, each file is a stream of its own.
 * @param onOutput told of every output, the earlier runs' too; not while the time is taken
 * @throws UnderstudyError from starting the engine
 */
export async function anonymizeSet(
  { config, track, timed: isTimed, streamOf }: SetSettings,
  files: readonly InputFile[],
  folder: string,
  onOutput: (file: InputFile) => void,
): Promise<AnonymizedSet> {
  mkdirSync(folder, { recursive: true });
  const leftOut: LeftOut[] = [];
  const todo = files.filter((f) => !existsSync(outputOf(f, folder)));
  const ready = files.filter((f) => !todo.includes(f));
  const timePath = join(folder, '.time-per-face.json');
  if (todo.length > 0) {
    const silent = { ...config, egress: { ...config.egress, audio: 'drop' as const } };
    const still = todo.every((f) => f.kind === 'picture');
    const engine: Engine = await startEngine(silent, Buffer.from(config.sessionKey, 'hex'), track, { still });
    const times: number[] = [];
    const turns = new Turns();
    const make = async (file: InputFile, done: (file: InputFile) => void) => {
      const turn = turns.next();
      try {
        const output = outputOf(file, folder);
        const shared = { config: silent, engine: async () => engine };
        const job = { input: file.path, output, ...shared, streamId: streamOf(file), turn };
        const { result, still } = await anonymizeFile(job);
        const failure = result.sourceError ?? allGrey(output, result.audit.totals);
        if (failure) {
          // It would pass for all that the method makes of the file, in the next evaluation with this folder if not in this one.
          rmSync(output, { force: true });
          throw failure;
        }
        const { landmarks, generate, post } = result.timings.summary();
        if (still) times.push(landmarks.p50Ms + generate.p50Ms + post.p50Ms);
        done(file);
      } catch (error) {
        leftOut.push({ name: file.name, reason: (error as Error).message });
      } finally {
        turn.done();
      }
    };
    try {
      const timed = isTimed ? todo.filter((f) => f.kind === 'picture').slice(0, TIMED) : [];
      for (const file of timed) await make(file, () => ready.push(file));
      if (timed.length > 0 && times.length > 0) writeFileSync(timePath, JSON.stringify(median(times)));
      for (const file of ready) onOutput(file);
      const rest = todo.filter((f) => !timed.includes(f));
      // A video keeps all stages busy by itself.
      await runWeighted({
        jobs: rest,
        weightOf: (file) => (file.kind === 'picture' ? 1 / AT_ONCE : 1),
        run: (file) => make(file, onOutput),
      });
    } finally {
      await engine.close();
    }
  } else for (const file of ready) onOutput(file);
  const timePerFaceMs = existsSync(timePath) ? (JSON.parse(readFileSync(timePath, 'utf8')) as number) : undefined;
  return { leftOut, ...(timePerFaceMs !== undefined && { timePerFaceMs }) };
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[values.length >> 1]!;
}
