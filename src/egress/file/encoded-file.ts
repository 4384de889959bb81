import { existsSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { basename, dirname, extname, join, resolve } from 'node:path';
import type { Writable } from 'node:stream';
import { ExitCode, UnderstudyError } from '../../core/errors.ts';
import { type FfmpegProcess, type FfmpegTool, lastLine, spawnFfmpeg } from '../../core/ffmpeg.ts';
import { nutFrameHeader, nutHeader } from '../../core/nut/muxer.ts';
import { type PictureFormat, SealedFrame } from '../../core/video-frame.ts';
import type { Sink } from '../sink.ts';
import { outputError } from './output-path.ts';

/** Files being written: a process that ends early takes them with it. */
const unfinished = new Set<EncodedFile>();

process.on('exit', () => {
  for (const file of unfinished) file.discard();
});

export interface EncodedFileOptions {
  readonly format: PictureFormat;
  /** ffmpeg's arguments for pictures that come as NUT on its standard input. @param temporary where to write */
  readonly arguments: (temporary: string) => string[];
}

/** Encodes into a temporary file beside the output, which gets its name only when it is complete. */
export class EncodedFile implements Sink {
  readonly #path: string;
  readonly #temporary: string;
  readonly #child: FfmpegProcess;
  readonly #stdin: Writable;
  readonly #format: PictureFormat;
  #ended: number | string | undefined;
  #started = false;

  constructor(tool: FfmpegTool, path: string, options: EncodedFileOptions) {
    this.#path = path;
    this.#temporary = temporaryName(path);
    this.#format = options.format;
    // -nostdin would close the pipe that the pictures go through.
    const args = options.arguments(this.#temporary).filter((a) => a !== '-nostdin');
    const child = spawnFfmpeg(tool, args);
    this.#child = child;
    unfinished.add(this);
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
      this.discard();
      throw this.#failure(code);
    }
    renameSync(this.#temporary, this.#path);
    unfinished.delete(this);
  }

  async abort(): Promise<void> {
    this.#child.process.kill('SIGKILL');
    await this.#child.exited;
    this.discard();
  }

  /** Ends the encoder and removes what it wrote, at once: also called while the process ends. */
  discard(): void {
    unfinished.delete(this);
    this.#child.process.kill('SIGKILL');
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

/** Beside the output, so that the rename stays on one disk. Leftovers of processes that were killed are removed. */
function temporaryName(path: string): string {
  const folder = dirname(resolve(path));
  const extension = extname(path);
  const prefix = `.${basename(path, extension)}.part-`;
  for (const name of readdirSync(folder)) {
    const pid =
      name.startsWith(prefix) && name.endsWith(extension) ? Number(name.slice(prefix.length, -extension.length)) : 0;
    if (pid && !existsSync(`/proc/${pid}`) && existsSync('/proc/self')) rmSync(join(folder, name), { force: true });
  }
  return join(folder, `${prefix}${process.pid}${extension}`);
}
