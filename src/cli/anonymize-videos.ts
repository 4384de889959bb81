import { existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { InputFile, LeftOut } from '../evaluate/pairs.ts';
import { runFile } from './run.ts';

export interface VideoRun {
  readonly configPath?: string;
  readonly sets: readonly string[];
}

/** `understudy run` on each video that has no output in `folder` yet: encoded as a user would get it, without sound. */
export async function anonymizeVideos(
  { configPath, sets }: VideoRun,
  files: readonly InputFile[],
  folder: string,
  onVideo?: (done: number) => void,
): Promise<LeftOut[]> {
  mkdirSync(folder, { recursive: true });
  const leftOut: LeftOut[] = [];
  for (const [i, file] of files.entries()) {
    const output = join(folder, `${file.name}.mp4`);
    if (!existsSync(output)) {
      try {
        await runFile(file.path, output, {
          ...(configPath && { config: configPath }),
          set: [...sets],
          audio: 'drop',
          progress: 'none',
          allowNoFace: true,
        });
      } catch (error) {
        leftOut.push({ name: file.name, reason: (error as Error).message });
      }
    }
    onVideo?.(i + 1);
  }
  return leftOut;
}
