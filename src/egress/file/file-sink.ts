import { accessSync, constants, existsSync, realpathSync, renameSync, rmSync, statSync } from 'node:fs';
import { basename, dirname, extname, join, resolve } from 'node:path';
import type { Writable } from 'node:stream';
import { ExitCode, UnderstudyError } from '../../core/errors.ts';
import { type FfmpegProcess, ffmpegArguments, findFfmpeg, lastLine, spawnFfmpeg } from '../../core/ffmpeg.ts';
import { nutFrameHeader, nutHeader } from '../../core/nut/muxer.ts';
import { type PictureFormat, SealedFrame } from '../../core/video-frame.ts';
import type { Sink } from '../sink.ts';
import { colourArguments, containerOf, type EncoderSettings, encoderArguments } from './encoder-options.ts';

export interface FileSinkOptions extends EncoderSettings {
  readonly format: PictureFormat;
  /** The recording whose sound is copied; undefined drops it. */
  readonly audioFrom?: {
    readonly path: string;
    readonly codec: string;
    readonly startS?: number;
    readonly durationS?: number;
  };
  readonly ffmpegPath?: string;
}

function outputError(message: string, remedy: string): UnderstudyError {
  return new UnderstudyError(ExitCode.output, message, remedy);
}

/** Every way an output name can be wrong, before anything is decoded. */
export function checkOutput(path: string, inputPath?: string): void {
  const folder = dirname(resolve(path));
  if (!existsSync(folder)) throw outputError(`the folder ${folder} does not exist`, 'make it, or name another output');
  try {
    accessSync(folder, constants.W_OK);
  } catch {
    throw outputError(`the folder ${folder} is not writable`, 'change its permissions, or name another output');
  }
  if (!existsSync(path)) return;
  if (statSync(path).isDirectory()) throw outputError(`the output ${path} is a folder`, 'name a file in it');
  if (inputPath && existsSync(inputPath) && realpathSync(inputPath) === realpathSync(path)) {
    throw outputError(`the output ${path} is the input`, 'name another output: the original would be overwritten');
  }
}

export async function openFileSink(path: string, options: FileSinkOptions): Promise<Sink> {
  checkOutput(path, options.audioFrom?.path);
  const tool = await findFfmpeg(options.ffmpegPath);
  const container = containerOf(path);
  const temporary = join(
    dirname(resolve(path)),
    `.${basename(path, extname(path))}.part-${process.pid}${extname(path)}`,
  );
  const { audioFrom, format } = options;
  const seek = [
    ...(audioFrom?.startS ? ['-ss', String(audioFrom.startS)] : []),
    ...(audioFrom?.durationS ? ['-t', String(audioFrom.durationS)] : []),
  ];
  const audio = audioFrom && {
    input: { from: `file:${audioFrom.path}`, options: ['-copyts', ...seek] },
    arguments: ['-map', '1:a:0', '-c:a', container.audio.includes(audioFrom.codec) ? 'copy' : container.encoder],
  };
  const args = ffmpegArguments({
    inputs: [{ from: 'pipe:0', options: ['-f', 'nut'] }, ...(audio ? [audio.input] : [])],
    output: temporary,
    options: [
      ...['-map', '0:v:0', ...(audio?.arguments ?? []), '-y', '-copyts', '-vsync', '0', '-enc_time_base', '1:90000'],
      ...[...encoderArguments(tool, options), '-pix_fmt', 'yuv420p', ...colourArguments(format.colour)],
      ...['-map_metadata', '-1', '-map_chapters', '-1', '-sn', '-dn', '-fflags', '+bitexact', '-flags:v', '+bitexact'],
      ...(container.format === 'mp4' || container.format === 'mov' ? ['-movflags', '+faststart'] : []),
      ...['-f', container.format],
    ],
  });
  // -nostdin would close the pipe that the pictures go through.
  return new FileSink(
    path,
    temporary,
    format,
    spawnFfmpeg(
      tool,
      args.filter((a) => a !== '-nostdin'),
    ),
  );
}

/** Encodes into a temporary file beside the output, which gets its name only when it is complete. */
class FileSink implements Sink {
  readonly #path: string;
  readonly #temporary: string;
  readonly #child: FfmpegProcess;
  readonly #stdin: Writable;
  readonly #format: PictureFormat;
  #ended: number | string | undefined;
  #started = false;

  constructor(path: string, temporary: string, format: PictureFormat, child: FfmpegProcess) {
    this.#path = path;
    this.#temporary = temporary;
    this.#format = format;
    this.#child = child;
    this.#stdin = child.process.stdin as Writable;
    // A broken pipe shows as the process's exit, which carries the reason.
    this.#stdin.on('error', () => {});
    void child.exited.then((code) => {
      this.#ended = code;
    });
  }

  async write(frame: SealedFrame): Promise<void> {
    if (!SealedFrame.isSealed(frame)) throw new Error('only a SealedFrame may leave');
    if (this.#ended !== undefined) {
      frame.close();
      throw this.#failure(this.#ended);
    }
    const { width, height } = this.#format;
    if (!this.#started) {
      this.#started = true;
      this.#stdin.write(nutHeader(width, height));
    }
    const { pixels } = frame;
    this.#stdin.write(nutFrameHeader(frame.timestampUs, pixels.length));
    const gone = new Promise<void>((done) => this.#stdin.write(pixels, () => done()));
    // The slot is free when the last byte has been handed over, not when write() returns. A dead encoder reads no more.
    void Promise.race([gone, this.#child.exited]).then(() => frame.close());
    if (this.#stdin.writableNeedDrain) {
      const drained = new Promise<undefined>((done) => this.#stdin.once('drain', () => done(undefined)));
      const code = await Promise.race([drained, this.#child.exited]);
      if (code !== undefined) throw this.#failure(code);
    }
  }

  async finish(): Promise<void> {
    this.#stdin.end();
    const code = await this.#child.exited;
    if (code !== 0) {
      rmSync(this.#temporary, { force: true });
      throw this.#failure(code);
    }
    renameSync(this.#temporary, this.#path);
  }

  async abort(): Promise<void> {
    this.#child.process.kill('SIGKILL');
    await this.#child.exited;
    rmSync(this.#temporary, { force: true });
  }

  #failure(code: number | string): UnderstudyError {
    const reason = lastLine(this.#child.errors());
    if (/No space left/i.test(this.#child.errors()))
      return outputError(`the disk of ${this.#path} is full`, 'free some space and run it again');
    if (typeof code === 'string')
      return new UnderstudyError(
        ExitCode.tool,
        `the encoder of ${this.#path} was ended by ${code}`,
        'run it again; if it repeats, check memory',
      );
    return outputError(`${this.#path} could not be written: ${reason}`, 'check the output folder and the chosen codec');
  }
}
