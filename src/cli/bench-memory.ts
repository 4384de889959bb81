import { execFile, spawn } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { promisify } from 'node:util';
import type { Command } from 'commander';
import { ExitCode, UnderstudyError } from '../core/errors.ts';
import { findFfmpeg } from '../core/ffmpeg.ts';
import { slope } from './bench-live-figures.ts';
import { makeDemoClip } from './demo-clip.ts';
import { machineName } from './machine-name.ts';
import { treePssMb, treeUse } from './process-tree.ts';

const CLIP = 'out/bench-memory-clip.mp4';
const INPUT = 'out/bench-memory.mp4';
const OUTPUT = 'out/bench-memory-out.mp4';
const REPORT = 'out/bench-memory.json';
const LOOK_MS = 5000;
/** Pools fill and code is compiled in the first part of a run; growth is looked for in the rest. */
const WARM_UP = 0.25;

interface Look {
  readonly atH: number;
  readonly pssMb: number;
  readonly descriptors: number;
}

/** A clip of `seconds` with sound, the same scenes again and again, made without encoding it as a whole. */
async function makeLongClip(seconds: number): Promise<void> {
  const ffmpeg = await findFfmpeg();
  await makeDemoClip({ out: CLIP, seconds: 20, scene: 'portrait' });
  const again = [
    '-stream_loop',
    '-1',
    '-i',
    CLIP,
    '-f',
    'lavfi',
    '-i',
    'sine=220:r=48000',
    '-map',
    '0:v',
    '-map',
    '1:a',
  ];
  const copy = ['-c:v', 'copy', '-c:a', 'aac', '-b:a', '64k', '-t', String(seconds), INPUT];
  await promisify(execFile)(ffmpeg.path, ['-v', 'error', '-y', ...again, ...copy]);
}

/** Runs the main job on it and looks at the memory of the process tree every few seconds. */
async function watched(): Promise<Look[]> {
  const args = ['run', INPUT, OUTPUT, '--report', REPORT, '--progress', 'none'];
  const child = spawn(process.execPath, [...process.execArgv, process.argv[1]!, ...args], { stdio: 'inherit' });
  const began = performance.now();
  const looks: Look[] = [];
  const timer = setInterval(() => {
    const { descriptors } = treeUse(child.pid!);
    looks.push({ atH: (performance.now() - began) / 3.6e6, pssMb: treePssMb(child.pid!), descriptors });
  }, LOOK_MS);
  const code = await new Promise<number | null>((resolve) => child.on('close', resolve));
  clearInterval(timer);
  if (code !== 0) throw new Error(`understudy ${args.join(' ')} ended with ${code}`);
  return looks;
}

const mean = (values: readonly number[]) => values.reduce((sum, v) => sum + v, 0) / Math.max(1, values.length);

async function benchMemory(minutes: number, json?: string): Promise<void> {
  mkdirSync('out', { recursive: true });
  await makeLongClip(minutes * 60);
  const looks = (await watched()).slice(0, -1);
  const settled = looks.slice(Math.floor(looks.length * WARM_UP));
  const quarter = Math.ceil(settled.length / 4);
  const { totals } = JSON.parse(readFileSync(REPORT, 'utf8')) as { totals: { frames: number } };
  const figures = {
    machine: machineName(),
    minutes,
    frames: totals.frames,
    tookMinutes: (looks.at(-1)?.atH ?? 0) * 60,
    peakPssMb: Math.max(0, ...looks.map((l) => l.pssMb)),
    startPssMb: mean(settled.slice(0, quarter).map((l) => l.pssMb)),
    endPssMb: mean(settled.slice(-quarter).map((l) => l.pssMb)),
    slopeMbPerHour: slope(settled.map((l) => [l.atH, l.pssMb])),
    descriptors: [settled[0]?.descriptors ?? 0, settled.at(-1)?.descriptors ?? 0],
  };
  for (const file of [CLIP, INPUT, OUTPUT, REPORT]) rmSync(file, { force: true });
  const { startPssMb, endPssMb, slopeMbPerHour, peakPssMb, descriptors } = figures;
  process.stdout.write(
    `${figures.machine}\n${minutes} minutes of 720p, ${totals.frames} frames in ${figures.tookMinutes.toFixed(1)} minutes: ` +
      `${startPssMb.toFixed(0)} MB after the start, ${endPssMb.toFixed(0)} MB at the end (${slopeMbPerHour.toFixed(0)} MB an hour), ` +
      `peak ${peakPssMb.toFixed(0)} MB, descriptors ${descriptors.join(' → ')}\n`,
  );
  if (json) writeFileSync(json, `${JSON.stringify({ ...figures, looks }, null, 2)}\n`);
}

export function registerBenchMemory(bench: Command): void {
  bench
    .command('memory')
    .description('memory of the whole process tree over a long recording')
    .option('--minutes <n>', 'length of the recording', '30')
    .option('--json <file>', 'write the figures')
    .action(async (_: unknown, command: Command) => {
      const options = command.optsWithGlobals<{ minutes: string; json?: string }>();
      const minutes = Number(options.minutes);
      if (!(minutes >= 1)) {
        throw new UnderstudyError(ExitCode.usage, `--minutes is too short: ${options.minutes}`, 'give 1 or more');
      }
      await benchMemory(minutes, options.json);
    });
}
