import { execFile, spawn } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { Command } from 'commander';
import { ExitCode, UnderstudyError } from '../core/errors.ts';
import { findFfmpeg } from '../core/ffmpeg.ts';
import { checkOutput } from '../egress/file/output-path.ts';
import { registerBenchLive } from './bench-live.ts';
import { registerBenchMemory } from './bench-memory.ts';
import { type DemoScene, makeDemoClip } from './demo-clip.ts';
import { machineName } from './machine-name.ts';
import { treePssMb } from './process-tree.ts';

const PRESET = ['-c:v', 'libx264', '-preset', 'veryfast', '-crf', '20'];

/** Runs the command as a user would, in a process of its own, and watches its memory: seldom, because looking stops the process. */
async function timed(args: string[]): Promise<{ seconds: number; peakPssMb: number }> {
  const started = performance.now();
  const child = spawn(process.execPath, [...process.execArgv, process.argv[1]!, ...args], { stdio: 'inherit' });
  let peakPssMb = 0;
  const timer = setInterval(() => {
    peakPssMb = Math.max(peakPssMb, treePssMb(child.pid!));
  }, 2000);
  const code = await new Promise<number | null>((resolve) => child.on('close', resolve));
  clearInterval(timer);
  if (code !== 0) throw new Error(`understudy ${args.join(' ')} ended with ${code}`);
  return { seconds: (performance.now() - started) / 1000, peakPssMb };
}

interface ClipFigures {
  readonly name: string;
  /** Mean faces a frame. */
  readonly faces: number;
  readonly width: number;
  readonly height: number;
  readonly fps: number;
  readonly transcodeFps: number;
  /** fps over transcodeFps. */
  readonly ratio: number;
  readonly peerFps?: number;
  readonly firstFrameMs: number;
  readonly peakPssMb: number;
  readonly stages: object;
}

/** Frames a second of another anonymizer on the same clip; undefined (with a word why) when it is not installed. */
async function peerFps(peer: string, input: string, output: string, frames: number): Promise<number | undefined> {
  if (peer !== 'deface')
    throw new UnderstudyError(ExitCode.usage, `no such peer: ${peer}`, 'the only peer known is deface');
  const before = performance.now();
  try {
    await promisify(execFile)('deface', [input, '-o', output], { maxBuffer: 2 ** 26 });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    process.stderr.write('understudy: the command deface is not installed (pip install deface); left out\n');
    return undefined;
  }
  return frames / ((performance.now() - before) / 1000);
}

async function benchClip(name: DemoScene, seconds: number, folder: string, peer?: string): Promise<ClipFigures> {
  const [input, output, report] = ['.mp4', '-out.mp4', '.json'].map((end) => join(folder, `bench-${name}${end}`));
  await makeDemoClip({ out: input!, seconds, scene: name });
  const frames = seconds * 30;
  const ffmpeg = await findFfmpeg();
  const before = performance.now();
  await promisify(execFile)(ffmpeg.path, ['-v', 'error', '-y', '-i', input!, ...PRESET, output!]);
  const transcodeFps = frames / ((performance.now() - before) / 1000);
  const options = ['--report', report!, '--progress', 'none', '--allow-no-face'];
  const { seconds: took, peakPssMb } = await timed(['run', input!, output!, ...options]);
  const done = JSON.parse(readFileSync(report!, 'utf8')) as {
    stages: object;
    firstFrameMs: number;
    totals: { faces: number; frames: number };
  };
  const other = peer ? await peerFps(peer, input!, join(folder, `bench-${name}-peer.mp4`), frames) : undefined;
  const fps = frames / took;
  return {
    name,
    faces: done.totals.faces / done.totals.frames,
    width: 1280,
    height: 720,
    fps,
    transcodeFps,
    ratio: fps / transcodeFps,
    ...(other !== undefined && { peerFps: other }),
    firstFrameMs: done.firstFrameMs,
    peakPssMb,
    stages: done.stages,
  };
}

function row(c: ClipFigures): string {
  const peer = c.peerFps ? `, peer ${c.peerFps.toFixed(1)} fps (${(c.fps / c.peerFps).toFixed(1)} times as fast)` : '';
  const speed = `${c.fps.toFixed(1)} fps file to file, transcode ${c.transcodeFps.toFixed(0)} fps, ratio ${c.ratio.toFixed(3)}${peer}`;
  const rest = `first frame after ${(c.firstFrameMs / 1000).toFixed(1)} s, peak ${c.peakPssMb.toFixed(0)} MB`;
  return `${c.name}: ${c.faces.toFixed(1)} faces a frame, ${speed}, ${rest}\n  ${JSON.stringify(c.stages)}\n`;
}

export function registerBench(program: Command): void {
  const bench = program
    .command('bench')
    .description('file-to-file speed on clips made from photographs, beside a plain transcode in the same run')
    .option('--json <file>', 'write the figures')
    .option('--seconds <n>', 'length of each clip', '20')
    .option('--peer <command>', 'run another anonymizer on the same clips: deface')
    .action(async (options: { json?: string; seconds: string; peer?: string }) => {
      // Minutes of work end in it.
      if (options.json) checkOutput(options.json);
      mkdirSync('out', { recursive: true });
      const seconds = Number(options.seconds);
      if (!(seconds > 0))
        throw new UnderstudyError(ExitCode.usage, `--seconds is no length: ${options.seconds}`, 'give it like 20');
      const machine = machineName();
      process.stdout.write(`${machine}\n`);
      const clips: ClipFigures[] = [];
      for (const scene of ['portrait', 'group'] as const) {
        const figures = await benchClip(scene, seconds, 'out', options.peer);
        clips.push(figures);
        process.stdout.write(row(figures));
      }
      if (options.json) writeFileSync(options.json, `${JSON.stringify({ machine, clips }, null, 2)}\n`);
    });
  registerBenchLive(bench);
  registerBenchMemory(bench);
}
