import { spawn } from 'node:child_process';
import type { FfmpegTool } from '../../core/ffmpeg.ts';

/**
 * Times of all key pictures of the main video from a time on, in microseconds of the file's own clock, ascending. Reads the
 * packets and decodes nothing; done only when a decoder has reported damage.
 */
export async function keyFramesFrom(tool: FfmpegTool, path: string, fromUs: number): Promise<number[]> {
  if (!tool.probePath) return [];
  const interval = ['-read_intervals', `${Math.max(0, fromUs) / 1e6}%`];
  const shown = ['-show_entries', 'packet=pts_time,flags', '-of', 'csv=p=0'];
  const args = ['-v', 'quiet', '-select_streams', 'V:0', ...interval, ...shown, `file:${path}`];
  const child = spawn(tool.probePath, args, { stdio: ['ignore', 'pipe', 'ignore'] });
  const times: number[] = [];
  let rest = '';
  try {
    for await (const chunk of child.stdout.setEncoding('utf8')) {
      const lines = (rest + chunk).split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines) {
        const [time, flags] = line.split(',') as [string, string | undefined];
        if (flags?.includes('K') && Number.isFinite(Number(time))) times.push(Math.round(Number(time) * 1e6));
      }
    }
  } catch {
    // Without an answer nothing after the damage counts as whole.
    return [];
  }
  return times.sort((a, b) => a - b);
}
