import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Command } from 'commander';
import { ExitCode } from '../core/errors.ts';
import { checkOutput, outputError } from '../egress/file/output-path.ts';
import { makeDemoClip } from './demo-clip.ts';
import { lengthSeconds, runFile } from './run.ts';

export function registerDemo(program: Command): void {
  program
    .command('demo')
    .description('anonymize a clip made from real photographs: out/demo-original.mp4, out/demo.mp4, out/demo.json')
    .option('--out <folder>', 'where to write', 'out')
    .option('--seconds <n>', 'length of the clip', '6')
    .action(async ({ out, seconds }: { out: string; seconds: string }) => {
      const length = lengthSeconds(seconds, '--seconds')!;
      makeFolder(out);
      const [original, result, report] = ['demo-original.mp4', 'demo.mp4', 'demo.json'].map((name) => join(out, name));
      for (const path of [original!, result!, report!]) checkOutput(path);
      await makeDemoClip({ out: original!, seconds: length });
      const code = await runFile(original!, result!, { report: report!, progress: 'line' });
      process.exitCode = code;
      // Stopped before its first picture it leaves none.
      if (code !== ExitCode.interrupted) process.stdout.write(`wrote ${original}, ${result} and ${report}\n`);
    });
}

function makeFolder(path: string): void {
  try {
    mkdirSync(path, { recursive: true });
  } catch (cause) {
    throw outputError(
      `the folder ${path} cannot be made (${(cause as Error).message})`,
      'give --out the name of a folder',
    );
  }
}
