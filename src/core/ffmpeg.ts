import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { EventEmitter } from 'node:events';
import { existsSync } from 'node:fs';
import { PassThrough } from 'node:stream';
import { promisify } from 'node:util';
import installer from '@ffmpeg-installer/ffmpeg';
import fluent from 'fluent-ffmpeg';
import { ExitCode, UnderstudyError } from './errors.ts';
import { withoutCredentials } from './stream-address.ts';

const run = promisify(execFile);
/** Of what a process says on stderr. */
const KEPT_CHARS = 16_384;
/** libavformat of ffmpeg 5. */
const MODERN_LIBAVFORMAT = 59;

export interface FfmpegTool {
  readonly path: string;
  /** As ffmpeg names itself, e.g. `5.1.6-0+deb12u1`. */
  readonly version: string;
  /** Version 5 or newer: not the one of 2018 that @ffmpeg-installer brings. */
  readonly modern: boolean;
  readonly encoders: ReadonlySet<string>;
  /** Not part of the installer's package: undefined there. */
  readonly probePath: string | undefined;
}

let found: Promise<FfmpegTool> | undefined;

/** Looks once: the given path or FFMPEG_PATH, a system ffmpeg ≥ 5, the one of @ffmpeg-installer. */
export function findFfmpeg(path = process.env.FFMPEG_PATH): Promise<FfmpegTool> {
  found ??= locate(path);
  return found;
}

async function locate(chosen: string | undefined): Promise<FfmpegTool> {
  if (chosen) {
    const tool = await inspect(chosen);
    if (tool) return tool;
    throw new UnderstudyError(
      ExitCode.tool,
      `ffmpeg cannot be run from ${chosen}`,
      'correct ffmpeg.path or FFMPEG_PATH, or remove it to use the one found by itself',
    );
  }
  const system = await inspect('ffmpeg');
  if (system?.modern) return system;
  const packaged = existsSync(installer.path) ? await inspect(installer.path) : undefined;
  if (packaged) return packaged;
  throw new UnderstudyError(ExitCode.tool, 'no ffmpeg was found', 'install the ffmpeg package, or set FFMPEG_PATH');
}

async function inspect(path: string): Promise<FfmpegTool | undefined> {
  try {
    const probePath = path.replace(/ffmpeg([^/]*)$/, 'ffprobe$1');
    // Each process costs a tenth of a second: the banner on stderr has the versions.
    const [{ stdout, stderr }, hasProbe] = await Promise.all([
      run(path, ['-encoders']),
      run(probePath, ['-version']).then(
        () => true,
        () => false,
      ),
    ]);
    const version = /version (\S+)/.exec(stderr)?.[1] ?? 'unknown';
    const encoders = stdout.matchAll(/^ [VASFXBD.]{6} (\S+)/gm);
    return {
      path,
      version,
      // A build from the repository has no version number: `N-47683-g0e8eb07980`.
      modern: Number(/^ *libavformat +(\d+)/m.exec(stderr)?.[1] ?? 0) >= MODERN_LIBAVFORMAT,
      encoders: new Set([...encoders].map((m) => m[1]!)),
      probePath: hasProbe ? probePath : undefined,
    };
  } catch {
    return undefined;
  }
}

/** Asked for only where a filter is not part of every build. */
export async function hasFilter(tool: FfmpegTool, name: string): Promise<boolean> {
  const { stdout } = await run(tool.path, ['-hide_banner', '-filters']);
  return new RegExp(`^ [.A-Z|]{3} ${name} `, 'm').test(stdout);
}

/** @param direction as this ffmpeg reads or writes it */
export async function hasProtocol(tool: FfmpegTool, name: string, direction: 'input' | 'output'): Promise<boolean> {
  const { stdout } = await run(tool.path, ['-hide_banner', '-protocols']);
  const [inputs = '', outputs = ''] = stdout.split(/^Output:/m);
  return new RegExp(`^\\s+${name}$`, 'm').test(direction === 'input' ? inputs : outputs);
}

export interface FfmpegCommand {
  readonly inputs: readonly { readonly from: string; readonly options?: readonly string[] }[];
  readonly output: string;
  readonly options: readonly string[];
}

/**
 * Arguments by fluent-ffmpeg; the process is ours, since its own handling of streams copies and swallows errors.
 * @param logLevel with `level+` in front lines say which they are of: `[h264 @ 0x5] [error] …`
 */
export function ffmpegArguments(command: FfmpegCommand, logLevel = 'error'): string[] {
  const builder = fluent();
  for (const input of command.inputs) {
    builder.input(input.from);
    if (input.options?.length) builder.inputOptions([...input.options]);
  }
  builder.output(command.output).outputOptions([...command.options]);
  const internal = builder as unknown as { _getArguments(): string[] };
  return ['-hide_banner', '-loglevel', logLevel, '-nostdin', ...internal._getArguments()];
}

export interface FfmpegProcess {
  readonly process: ChildProcess;
  /** Everything on stderr so far, at most the last 16 KB, without user names and passwords. */
  errors(): string;
  /** Exit code, or the signal's name. Wait for it once: of what waits, Promise.race for each frame say, all is kept until then. */
  readonly exited: Promise<number | string>;
  /** Resolves when `work` does, or with undefined when the process ends first; nothing is kept of it. */
  orExit<T>(work: Promise<T>): Promise<T | undefined>;
}

/**
 * Never throws: a process that could not be started, for there are too many open files or there is no memory for it, is one that has
 * ended (127), and is tried again as such. @param pipes number of further pipes, `pipe:3` and so on in the arguments
 */
export function spawnFfmpeg(
  tool: FfmpegTool,
  args: string[],
  onError?: (line: string) => void,
  pipes = 0,
): FfmpegProcess {
  const child = started(tool.path, args, 3 + pipes);
  let stderr = '';
  let rest = '';
  const take = (text: string) => {
    const line = withoutCredentials(text.trim());
    if (!line) return;
    stderr = `${stderr}${line}\n`.slice(-KEPT_CHARS);
    onError?.(line);
  };
  // ffmpeg writes a line in pieces: half of one says neither what is wrong nor where its password ends.
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    const lines = (rest + text).split(/[\r\n]/);
    rest = lines.pop()!;
    lines.forEach(take);
    if (rest.length > KEPT_CHARS) {
      take(rest);
      rest = '';
    }
  });
  const exited = new Promise<number | string>((resolve) => {
    child.on('error', (error) => {
      stderr += error.message;
      resolve(127);
    });
    child.on('close', (code, signal) => {
      take(rest);
      resolve(code ?? signal ?? 1);
    });
  });
  return { process: child, errors: () => stderr, exited, orExit: orEnd(exited) };
}

function started(path: string, args: string[], pipes: number): ChildProcess {
  const stdio = Array<'pipe'>(pipes).fill('pipe');
  let child: ChildProcess;
  try {
    // Its own process group: a Ctrl-C in the terminal is answered by us, by completing the file, and must not reach it.
    child = spawn(path, args, { stdio, detached: process.platform !== 'win32' });
  } catch (error) {
    child = Object.assign(new EventEmitter(), { kill: () => false }) as unknown as ChildProcess;
    process.nextTick(() => child.emit('error', error));
  }
  if (child.pid !== undefined) return child;
  // Node would send a signal to the process number 0, which is all of our own group.
  child.kill = () => false;
  // Without a descriptor left there are no pipes either: whoever reads finds the end at once, whoever writes a broken one.
  if (!child.stdio) {
    const ends = stdio.map((_, i) => (i === 0 ? new PassThrough().destroy() : new PassThrough().end()));
    Object.assign(child, { stdio: ends, stdin: ends[0], stdout: ends[1], stderr: ends[2] });
  }
  return child;
}

function orEnd(exited: Promise<unknown>): FfmpegProcess['orExit'] {
  const waiting = new Set<() => void>();
  let over = false;
  void exited.then(() => {
    over = true;
    for (const end of waiting) end();
    waiting.clear();
  });
  return async (work) => {
    if (over) return undefined;
    let end = () => {};
    const ended = new Promise<undefined>((resolve) => {
      end = () => resolve(undefined);
    });
    waiting.add(end);
    try {
      return await Promise.race([work, ended]);
    } finally {
      waiting.delete(end);
    }
  };
}

/** What ffmpeg says after the reason, whatever that was. */
const AFTERWORDS =
  /^(Error (initializing|reinitializing|while opening encoder|while processing|sending frames|marking filters|writing trailer|closing file|opening output)|Could not (write header|open encoder)|Failed to inject|av_interleaved_write_frame|Conversion failed|Nothing was written|Terminating thread|Task finished|Last message repeated|encoded \d+ frames)/i;

/** ffmpeg's last word on what went wrong, but for those that only say that something did; a warning only where there is nothing else. */
export function lastLine(stderr: string): string {
  const lines = stderr.split('\n').map((l) => l.trim());
  const errors = lines.filter((l) => l && !l.includes('[warning]'));
  const said = (errors.length > 0 ? errors : lines.filter(Boolean)).map((l) => l.replace(/^(\[[^\]]*\] )+/, ''));
  return said.filter((l) => !AFTERWORDS.test(l)).at(-1) ?? said[0] ?? 'it gave no reason';
}
