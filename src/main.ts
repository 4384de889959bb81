#!/usr/bin/env node
import { Command } from 'commander';
import { registerBench } from './cli/bench.ts';
import { registerDemo } from './cli/demo.ts';
import { registerDoctor } from './cli/doctor.ts';
import { registerEvaluate } from './cli/evaluate.ts';
import { registerRun } from './cli/run.ts';
import { registerServe } from './cli/serve.ts';
import { ExitCode, UnderstudyError } from './core/errors.ts';

const program = new Command('understudy')
  .description('replaces every face in a video with a synthetic stand-in')
  .version('0.1.0');
registerRun(program);
registerServe(program);
registerDemo(program);
registerDoctor(program);
registerBench(program);
registerEvaluate(program);

program.exitOverride((error) => {
  process.exit(error.exitCode === 0 ? ExitCode.ok : ExitCode.usage);
});
program.parseAsync().catch((error: unknown) => {
  if (error instanceof UnderstudyError || (error as { remedy?: string }).remedy) {
    const { message, remedy, exitCode } = error as UnderstudyError;
    process.stderr.write(`understudy: ${message}; ${remedy}\n`);
    process.exit(exitCode ?? ExitCode.internal);
  }
  process.stderr.write(`understudy: a fault of the program: ${(error as Error).stack ?? String(error)}\n`);
  process.exit(ExitCode.internal);
});
