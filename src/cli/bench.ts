import { execFile, spawn } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { cpus, totalmem } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { Command } from 'commander';
import { findFfmpeg } from '../core/ffmpeg.ts';
import { type DemoScene, makeDemoClip } from './demo-clip.ts';

const PRESET = ['-c:v', 'libx264', '-preset', 'veryfast', '-crf', '20'];

/** Proportional set size of a process and its descendants, MB. Linux only; 0 elsewhere. */
function treePssMb(root: number): number {
  try {
    const children = new Map<number, number[]>();
    for (const entry of readdirSync('/proc').filter((e) => /^\d+$/.test(e))) {
      const stat = tryRead(`/proc/${entry}/stat`);
      const parent = Number(stat?.slice(stat.lastIndexOf(')') + 2).split(' ')[1]);
      if (stat) children.set(parent, [...(children.get(parent) ?? []), Number(entry)]);
    }
    const walk = (pid: number): number => {
      const pss = Number(/^Pss:\s+(\d+)/m.exec(tryRead(`/proc/${pid}/smaps_rollup`) ?? '')?.[1] ?? 0) / 1024;
      return pss + (children.get(pid) ?? []).reduce((sum, child) => sum + walk(child), 0);
    };
    return walk(root);
  } catch {
    return 0;
  }
}

function tryRead(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}

/** Runs the command as a user would, in a process of its own, and watches its memory. */
async function timed(args: string[]): Promise<{ seconds: number; peakPssMb: number }> {
  const started = performance.now();
  const child = spawn(process.execPath, [...process.execArgv, process.argv[1]!, ...args], { stdio: 'inherit' });
  let peakPssMb = 0;
  const timer = setInterval(() => {
    peakPssMb = Math.max(peakPssMb, treePssMb(child.pid!));
  }, 300);
  const code = await new Promise<number | null>((resolve) => child.on('close', resolve));
  clearInterval(timer);
  if (code !== 0) throw new Error(`understudy ${args.join(' ')} ended with ${code}`);
  return { seconds: (performance.now() - started) / 1000, peakPssMb };
}

async function benchClip(name: DemoScene, seconds: number, folder: string) {
  const input = join(folder, `bench-${name}.mp4`);
  const output = join(folder, `bench-${name}-out.mp4`);
  const report = join(folder, `bench-${name}.json`);
  await makeDemoClip({ out: input, seconds, scene: name });
  const frames = seconds * 30;
  const ffmpeg = await findFfmpeg();
  const before = performance.now();
  await promisify(execFile)(ffmpeg.path, ['-v', 'error', '-y', '-i', input, ...PRESET, output]);
  const transcodeFps = frames / ((performance.now() - before) / 1000);
  const { seconds: took, peakPssMb } = await timed([
    'run',
    input,
    output,
    '--report',
    report,
    '--progress',
    'none',
    '--allow-no-face',
  ]);
  const done = JSON.parse(readFileSync(report, 'utf8')) as {
    stages: object;
    totals: { faces: number; frames: number };
  };
  const fps = frames / took;
  const faces = done.totals.faces / done.totals.frames;
  return {
    name,
    faces,
    width: 1280,
    height: 720,
    fps,
    transcodeFps,
    ratio: fps / transcodeFps,
    peakPssMb,
    stages: done.stages,
  };
}

export function registerBench(program: Command): void {
  program
    .command('bench')
    .description('file-to-file speed on clips made from photographs, beside a plain transcode in the same run')
    .option('--json <file>', 'write the figures')
    .option('--seconds <n>', 'length of each clip', '8')
    .action(async (options: { json?: string; seconds: string }) => {
      mkdirSync('out', { recursive: true });
      const seconds = Number(options.seconds);
      const clips = [await benchClip('portrait', seconds, 'out'), await benchClip('group', seconds, 'out')];
      const machine = `${cpus().length} × ${cpus()[0]?.model ?? 'unknown'}, ${Math.round(totalmem() / 2 ** 30)} GB`;
      process.stdout.write(`${machine}\n`);
      for (const c of clips) {
        process.stdout.write(
          `${c.name}: ${c.faces.toFixed(1)} faces a frame, ${c.fps.toFixed(1)} fps file to file, transcode ${c.transcodeFps.toFixed(0)} fps, ratio ${c.ratio.toFixed(3)}, peak ${c.peakPssMb.toFixed(0)} MB\n`,
        );
        process.stdout.write(`  ${JSON.stringify(c.stages)}\n`);
      }
      if (options.json) writeFileSync(options.json, `${JSON.stringify({ machine, clips }, null, 2)}\n`);
    });
}
