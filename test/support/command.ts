import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A fresh folder, and names in it. */
export function scratch(name: string): { folder: string; at: (name: string) => string } {
  const folder = mkdtempSync(join(tmpdir(), `understudy-${name}-`));
  return { folder, at: (file) => join(folder, file) };
}

export function ffmpeg(...args: string[]): void {
  execFileSync('ffmpeg', ['-v', 'error', '-y', ...args]);
}

export function ffprobe(...args: string[]): string {
  return execFileSync('ffprobe', ['-v', 'error', ...args], { encoding: 'utf8', maxBuffer: 1 << 26 });
}

/** Decoded pictures, one after the other, in a pixel format. */
export function pixels(path: string, format: string, ...options: string[]): Buffer {
  const args = ['-v', 'error', '-i', path, ...options, '-f', 'rawvideo', '-pix_fmt', format, '-'];
  return execFileSync('ffmpeg', args, { maxBuffer: 1 << 28 });
}

/** The built command, as a user calls it. */
export function understudy(args: readonly string[], env: Record<string, string | undefined> = {}) {
  const done = spawnSync(process.execPath, ['dist/main.js', ...args], {
    encoding: 'utf8',
    env: { ...process.env, ...env },
  });
  return { code: done.status, stderr: done.stderr, stdout: done.stdout };
}

/** Presentation times of all pictures in seconds, sorted. */
export function timestamps(path: string): number[] {
  return ffprobe('-select_streams', 'v:0', '-show_entries', 'packet=pts_time', '-of', 'csv=p=0', path)
    .split('\n')
    .filter(Boolean)
    .map((t) => Number.parseFloat(t))
    .sort((a, b) => a - b);
}

/** Mean difference of two equally long buffers. */
export function meanDifference(a: Uint8Array, b: Uint8Array): number {
  if (a.length !== b.length) throw new Error(`${a.length} against ${b.length} samples`);
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += Math.abs(a[i]! - b[i]!);
  return sum / a.length;
}
