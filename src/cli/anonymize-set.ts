import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Config } from '../config/loader.ts';
import type { InputFile, LeftOut } from '../evaluate/pairs.ts';
import type { Engine } from '../pipeline/engine.ts';
import { anonymizeFile } from './anonymize-file.ts';
import { startEngine } from './run.ts';

export interface AnonymizedSet {
  readonly leftOut: LeftOut[];
  /** Median over the pictures of landmarks, generation and drawing, ms, without the search for faces; undefined when all were there already. */
  readonly timePerFaceMs?: number;
}

/** Where the output of a file of the set lies. */
export function outputOf(file: InputFile, folder: string): string {
  return join(folder, `${file.name}${file.kind === 'picture' ? '.jpg' : '.mp4'}`);
}

/**
 * What `understudy run` does, on every file that has no output in `folder` yet: same pipeline, same encoding, no sound.
 * The engine and its key are shared, each file is a stream of its own.
 * @param settings the configuration, and options of the analysis that no setting reaches
 * @throws UnderstudyError from starting the engine
 */
export async function anonymizeSet(
  { config, track }: { readonly config: Config; readonly track: Readonly<Record<string, unknown>> },
  files: readonly InputFile[],
  folder: string,
  onFile?: (done: number) => void,
): Promise<AnonymizedSet> {
  mkdirSync(folder, { recursive: true });
  const leftOut: LeftOut[] = [];
  const todo = files.filter((f) => !existsSync(outputOf(f, folder)));
  if (todo.length === 0) return { leftOut };
  const silent = { ...config, egress: { ...config.egress, audio: 'drop' as const } };
  const sessionKey = config.sessionKey ? Buffer.from(config.sessionKey, 'hex') : randomBytes(32);
  const engine: Engine = await startEngine(silent, sessionKey, track);
  const times: number[] = [];
  try {
    for (const file of todo) {
      const streamId = files.indexOf(file);
      try {
        const { result, still } = await anonymizeFile({
          input: file.path,
          output: outputOf(file, folder),
          config: silent,
          engine: async () => engine,
          streamId,
        });
        if (result.sourceError) throw result.sourceError;
        const { landmarks, generate, post } = result.timings.summary();
        if (still) times.push(landmarks.p50Ms + generate.p50Ms + post.p50Ms);
      } catch (error) {
        leftOut.push({ name: file.name, reason: (error as Error).message });
      }
      onFile?.(streamId + 1);
    }
  } finally {
    await engine.close();
  }
  times.sort((a, b) => a - b);
  const middle = times[times.length >> 1];
  return { leftOut, ...(middle !== undefined && { timePerFaceMs: middle }) };
}
