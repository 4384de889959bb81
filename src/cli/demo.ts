import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Command } from 'commander';
import { outputError } from '../egress/file/output-path.ts';
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
      const original = join(out, 'demo-original.mp4');
      await makeDemoClip({ out: original, seconds: length });
      const result = join(out, 'demo.mp4');
      process.exitCode = await runFile(original, result, { report: join(out, 'demo.json'), progress: 'line' });
      process.stdout.write(`wrote ${original}, ${result} and ${join(out, 'demo.json')}\n`);
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
