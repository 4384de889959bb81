import type { Readable } from 'node:stream';
import { ExitCode, UnderstudyError } from '../core/errors.ts';
import { findFfmpeg, lastLine, spawnFfmpeg } from '../core/ffmpeg.ts';
import { planeLayout } from '../core/video-frame.ts';
import type { Picture } from '../core/vision.ts';

/** Everything is compared in one colour space, whatever the two files are tagged with. */
const COLOUR = { matrix: 'bt601', range: 'limited' } as const;
const FILTER = 'scale=out_color_matrix=bt601:out_range=tv:flags=accurate_rnd+full_chroma_int,format=yuv420p';
const START = ['-hide_banner', '-v', 'error'];

function output(input: number, limit: number, to: string): string[] {
  const bound = Number.isFinite(limit) ? ['-frames:v', String(limit)] : [];
  const map = ['-map', `${input}:v:0`, '-vf', FILTER, ...bound];
  return [...map, '-vsync', '0', '-strict', '-1', '-f', 'yuv4mpegpipe', to];
}

/**
 * Frames of a picture or video as I420, one after the other, upright. Each frame owns its memory.
 * @throws UnderstudyError(input) when nothing can be decoded
 */
export async function* readFrames(path: string, limit = Number.POSITIVE_INFINITY): AsyncGenerator<Picture> {
  const tool = await findFfmpeg();
  const child = spawnFfmpeg(tool, [...START, '-i', `file:${path}`, ...output(0, limit, 'pipe:1')]);
  child.process.stdin?.end();
  let frames = 0;
  try {
    for await (const picture of framesOf(child.process.stdout!)) {
      frames++;
      yield picture;
    }
  } finally {
    child.process.kill('SIGKILL');
    await child.exited;
  }
  if (frames === 0) {
    const reason = lastLine(child.errors());
    throw new UnderstudyError(ExitCode.input, `${path} cannot be read: ${reason}`, 'leave it out, or repair it');
  }
}

/**
 * The first frame.
 * @throws UnderstudyError(input) when nothing can be decoded, or the decoder complains: half a picture in grey would pass for a perfect disguise
 */
export async function readPicture(path: string): Promise<Picture> {
  const tool = await findFfmpeg();
  const child = spawnFfmpeg(tool, [...START, '-i', `file:${path}`, ...output(0, 1, 'pipe:1')]);
  child.process.stdin?.end();
  const picture = await firstOf(child.process.stdout!);
  await child.exited;
  if (picture && !child.errors().trim()) return picture;
  const what = picture ? 'is damaged' : 'cannot be read';
  throw new UnderstudyError(
    ExitCode.input,
    `${path} ${what}: ${lastLine(child.errors())}`,
    'leave it out, or repair it',
  );
}

/** The first frames of two files by one process: starting one costs as much as decoding three pictures. */
export async function readPictures(first: string, second: string): Promise<readonly [Picture, Picture]> {
  const tool = await findFfmpeg();
  const inputs = ['-i', `file:${first}`, '-i', `file:${second}`];
  const child = spawnFfmpeg(
    tool,
    [...START, ...inputs, ...output(0, 1, 'pipe:1'), ...output(1, 1, 'pipe:3')],
    undefined,
    1,
  );
  child.process.stdin?.end();
  try {
    const pipes = [child.process.stdio[1], child.process.stdio[3]] as Readable[];
    const [a, b] = await Promise.all(pipes.map(firstOf));
    await child.exited;
    if (a && b && !child.errors().trim()) return [a, b];
  } finally {
    child.process.kill('SIGKILL');
    await child.exited;
  }
  // One of them is broken: alone it says which, and why.
  return [await readPicture(first), await readPicture(second)];
}

/** Reads to the end, so that the decoder can say all it has to say. */
async function firstOf(pipe: Readable): Promise<Picture | undefined> {
  let first: Picture | undefined;
  for await (const picture of framesOf(pipe)) first ??= picture;
  return first;
}

async function* framesOf(stream: Readable): AsyncGenerator<Picture> {
  let pending: Buffer[] = [];
  let held = 0;
  let format: { width: number; height: number; byteLength: number } | undefined;
  const takeLine = (): string | undefined => {
    const all = pending.length === 1 ? pending[0]! : Buffer.concat(pending);
    const end = all.indexOf(10);
    pending = [all];
    if (end < 0) return undefined;
    pending = [all.subarray(end + 1)];
    held -= end + 1;
    return all.toString('latin1', 0, end);
  };
  let inFrame = false;
  for await (const chunk of stream) {
    pending.push(chunk as Buffer);
    held += (chunk as Buffer).length;
    for (;;) {
      if (!inFrame) {
        const line = takeLine();
        if (line === undefined) break;
        if (!format) format = headerFormat(line);
        else inFrame = true;
        continue;
      }
      if (held < format!.byteLength) break;
      const all = Buffer.concat(pending);
      const planes = Uint8Array.from(all.subarray(0, format!.byteLength));
      pending = [all.subarray(format!.byteLength)];
      held -= format!.byteLength;
      inFrame = false;
      yield { planes, format: { width: format!.width, height: format!.height, colour: COLOUR } };
    }
  }
}

function headerFormat(line: string) {
  const width = Number(/ W(\d+)/.exec(line)?.[1]);
  const height = Number(/ H(\d+)/.exec(line)?.[1]);
  return { width, height, byteLength: planeLayout(width, height).byteLength };
}
