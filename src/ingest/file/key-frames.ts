import { type ChildProcessByStdio, spawn } from 'node:child_process';
import type { Readable } from 'node:stream';
import type { FfmpegTool } from '../../core/ffmpeg.ts';

/** A picture from which on a recording is whole again. */
export interface KeyFrame {
  /** On the file's own clock, microseconds. */
  readonly us: number;
  /** What was damaged before this time does not show at it and after it. */
  readonly healsUs: number;
}

/**
 * All key pictures of the main video from a time on, ascending. Reads the packets and decodes nothing; done only when a
 * decoder has reported damage.
 */
export async function keyFramesFrom(
  tool: FfmpegTool,
  path: string,
  fromUs: number,
  codec: string,
): Promise<KeyFrame[]> {
  if (!tool.probePath) return [];
  try {
    const [times, whole] = await Promise.all([
      keyTimes(tool.probePath, path, fromUs),
      codec === 'h264' ? idrTimes(tool, path) : undefined,
    ]);
    // H.264 with intra refresh marks where a renewal of the picture begins: it is done when the next one begins.
    return times.map((us, i) => ({
      us,
      healsUs: !whole || whole.has(toMs(us)) ? us : (times[i - 1] ?? Number.NEGATIVE_INFINITY),
    }));
  } catch {
    // Without an answer nothing after the damage counts as whole.
    return [];
  }
}

async function keyTimes(probePath: string, path: string, fromUs: number): Promise<number[]> {
  const interval = ['-read_intervals', `${Math.max(0, fromUs) / 1e6}%`];
  const shown = ['-show_entries', 'packet=pts_time,flags', '-of', 'csv=p=0'];
  const args = ['-v', 'quiet', '-select_streams', 'V:0', ...interval, ...shown, `file:${path}`];
  const times: number[] = [];
  for await (const line of linesOf(spawn(probePath, args, { stdio: ['ignore', 'pipe', 'ignore'] }))) {
    const [time, flags] = line.split(',') as [string, string | undefined];
    if (flags?.includes('K') && Number.isFinite(Number(time))) times.push(Math.round(Number(time) * 1e6));
  }
  return times.sort((a, b) => a - b);
}

/** Milliseconds of the pictures that refer to nothing before them, not by their mark but by what is in them. */
async function idrTimes(tool: FfmpegTool, path: string): Promise<Set<number>> {
  const taken = ['-map', '0:V:0', '-c', 'copy', '-bsf:v', 'filter_units=pass_types=5', '-f', 'framecrc', '-'];
  const args = ['-v', 'quiet', '-nostdin', '-copyts', '-i', `file:${path}`, ...taken];
  const times = new Set<number>();
  let tick = Number.NaN;
  for await (const line of linesOf(spawn(tool.path, args, { stdio: ['ignore', 'pipe', 'ignore'] }))) {
    const base = /^#tb 0: (\d+)\/(\d+)/.exec(line);
    if (base) tick = Number(base[1]) / Number(base[2]);
    else if (!line.startsWith('#')) times.add(toMs(Number(line.split(',')[2]) * tick * 1e6));
  }
  return times;
}

function toMs(us: number): number {
  return Math.round(us / 1000);
}

async function* linesOf(child: ChildProcessByStdio<null, Readable, null>): AsyncGenerator<string> {
  const failed = new Promise<never>((_, reject) => child.on('error', reject));
  failed.catch(() => {});
  let rest = '';
  for await (const chunk of child.stdout.setEncoding('utf8')) {
    const lines = (rest + chunk).split('\n');
    rest = lines.pop() ?? '';
    yield* lines;
  }
  if (child.pid === undefined) await failed;
}
