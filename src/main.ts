#!/usr/bin/env node
// First: it has to be evaluated before anything that loads ONNX Runtime.
import './core/no-telemetry.ts';

import { Command } from 'commander';
import { registerBench } from './cli/bench.ts';
import { registerDemo } from './cli/demo.ts';
import { registerDoctor } from './cli/doctor.ts';
import { registerRun } from './cli/run.ts';
import { registerServe } from './cli/serve.ts';
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
registerRun(program);
registerServe(program);
registerDemo(program);
registerDoctor(program);
registerBench(program);
// The judges load ONNX Runtime into this thread, which costs time and fails where its library is broken: not for the others.
const WITHOUT_JUDGES = ['run', 'serve', 'demo', 'doctor', 'bench'];
if (!WITHOUT_JUDGES.includes(process.argv[2] ?? '')) (await import('./cli/evaluate.ts')).registerEvaluate(program);

program.parseAsync().catch((error: unknown) => {
  if (error instanceof UnderstudyError || (error as { remedy?: string }).remedy) {
    const { message, remedy, exitCode } = error as UnderstudyError;
    process.stderr.write(`understudy: ${message}; ${remedy}\n`);
    process.exit(exitCode ?? ExitCode.internal);
  }
  process.stderr.write(`understudy: a fault of the program: ${(error as Error).stack ?? String(error)}\n`);
  process.exit(ExitCode.internal);
});
