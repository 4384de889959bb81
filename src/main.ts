#!/usr/bin/env node
// First: it has to be evaluated before anything that loads ONNX Runtime.
import './core/no-telemetry.ts';

import { Command } from 'commander';
import { ExitCode, UnderstudyError } from './core/errors.ts';

const program = new Command('understudy')
  .description('replaces every face in a video with a synthetic stand-in')
  .version('0.1.0');
// Before the commands are added, which take these settings over.
program.exitOverride((error) => {
  process.exit(error.exitCode === 0 ? ExitCode.ok : ExitCode.usage);
});
program.configureOutput({
  outputError: (text, write) => write(`understudy: ${text.replace(/^error: /, '').trimEnd()}; see understudy --help\n`),
});
// Only what is asked for is loaded: all commands together take as long as a recording's first frame, and the judges of
// `evaluate` load ONNX Runtime into this thread, which fails where its library is broken.
const COMMANDS: Record<string, () => Promise<(program: Command) => void>> = {
  run: async () => (await import('./cli/run.ts')).registerRun,
  serve: async () => (await import('./cli/serve.ts')).registerServe,
  demo: async () => (await import('./cli/demo.ts')).registerDemo,
  doctor: async () => (await import('./cli/doctor.ts')).registerDoctor,
  bench: async () => (await import('./cli/bench.ts')).registerBench,
  evaluate: async () => (await import('./cli/evaluate.ts')).registerEvaluate,
};
// It starts five processes for every picture.
if (process.argv[2] === 'evaluate') await (await import('./cli/huge-pages.ts')).withHugePages();
const asked = Object.entries(COMMANDS).filter(([name]) => name === process.argv[2]);
for (const [, load] of asked.length > 0 ? asked : Object.entries(COMMANDS)) (await load())(program);

program.parseAsync().catch((error: unknown) => {
  if (error instanceof UnderstudyError || (error as { remedy?: string }).remedy) {
    const { message, remedy, exitCode } = error as UnderstudyError;
    process.stderr.write(`understudy: ${message}; ${remedy}\n`);
    process.exit(exitCode ?? ExitCode.internal);
  }
  process.stderr.write(`understudy: a fault of the program: ${(error as Error).stack ?? String(error)}\n`);
  process.exit(ExitCode.internal);
});
