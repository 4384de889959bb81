import { closeSync, openSync } from 'node:fs';
import { type FfmpegTool, spawnFfmpeg } from '../../src/core/ffmpeg.ts';

/** Starts a process when no file can be opened any more, as with too many sessions, and ends it at once. */
const tool: FfmpegTool = { path: '/bin/true', version: '5', encoders: new Set(), probePath: undefined, modern: true };
const open: number[] = [];
try {
  for (;;) open.push(openSync('/dev/null', 'r'));
} catch {
  // As meant.
}
const child = spawnFfmpeg(tool, [], undefined, 1);
child.process.stdin?.on('error', () => {}).write('a picture');
child.process.kill('SIGKILL');
const code = await child.exited;
for await (const _ of child.process.stdout ?? []) throw new Error('nothing can come from it');
for (const descriptor of open) closeSync(descriptor);
process.stdout.write(`${code} ${child.errors()}\n`);
