import { existsSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { basename, dirname, extname, join, resolve } from 'node:path';
import type { Writable } from 'node:stream';
import { ExitCode, UnderstudyError } from '../../core/errors.ts';
import { type FfmpegProcess, type FfmpegTool, ffmpegArguments, lastLine, spawnFfmpeg } from '../../core/ffmpeg.ts';
import { NutWriter } from '../../core/nut/muxer.ts';
import { type PictureFormat, SealedFrame } from '../../core/video-frame.ts';
import type { AudioLane } from '../live/audio-lane.ts';
import type { Sink } from '../sink.ts';
import { containerArguments } from './encoder-options.ts';
import { outputError } from './output-path.ts';

/** What ffmpeg says when a file could not be completed. */
const INCOMPLETE = /Error writing trailer|Error closing file|av_interleaved_write_frame/;
/** How long the last picture stays, for the end of the sound. */
const FRAME_US = 40_000;

/** Ending of the file whose sound is cut, beside the temporary one. */
const CUT = '.cut';

/** Files being written: a process that ends early takes them with it. */
const unfinished = new Set<EncodedFile>();

/** Ends all encoders and removes what they wrote, so that runs in progress fail at once. */
export function discardUnfinished(): void {
  for (const file of unfinished) file.discard();
}

process.on('exit', discardUnfinished);

export interface EncodedFileOptions {
  readonly format: PictureFormat;
  /** Pictures a second, where they are known. */
  readonly frameRate?: number | undefined;
  /** The frames' time that becomes zero in the file. */
  readonly originUs?: number;
  /** Sound of a live source, beside the pictures. */
  readonly liveAudio?: AudioLane | undefined;
  /** The file carries sound of the whole recording: when it ends early, the sound is cut at the last picture. */
  readonly cutSound?: { readonly container: string } | undefined;
  /** ffmpeg's arguments for pictures that come as NUT on its standard input. @param temporary where to write */
  readonly arguments: (temporary: string) => string[];
}

/** Encodes into a temporary file beside the output, which gets its name only when it is complete. */
export class EncodedFile implements Sink {
  readonly #path: string;
  readonly #temporary: string;
  readonly #child: FfmpegProcess;
  readonly #stdin: Writable;
  #nut: NutWriter | undefined;
  readonly #tool: FfmpegTool;
  readonly #options: EncodedFileOptions;
  /** Cuts the sound of a file that ended early. */
  #cutter: FfmpegProcess | undefined;
  #lastUs = 0;
  #ended: number | string | undefined;

  constructor(tool: FfmpegTool, path: string, options: EncodedFileOptions) {
    this.#path = path;
    this.#temporary = temporaryName(path);
    this.#tool = tool;
    this.#options = options;
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
    const { format, frameRate, liveAudio, originUs = 0 } = this.#options;
    if (!this.#nut) {
      this.#nut = new NutWriter(
        { ...format, ...(frameRate && { frameRate }) },
        { audio: liveAudio?.format, narrow: !this.#tool.modern },
      );
      this.#stdin.write(this.#nut.header);
    }
    const { pixels } = frame;
    this.#lastUs = Math.max(0, frame.timestampUs - originUs);
    const sound = liveAudio?.upTo(frame.timestampUs, originUs);
    this.#stdin.write(this.#nut.picture(this.#lastUs, pixels.length, sound));
    const gone = new Promise<void>((done) => this.#stdin.write(pixels, () => done()));
    // The slot is free when the last byte has been handed over, not when write() returns. A dead encoder reads no more.
    void this.#child.orExit(gone).then(() => frame.close());
    if (this.#stdin.writableNeedDrain) {
      await this.#child.orExit(new Promise<void>((done) => this.#stdin.once('drain', done)));
      if (this.#ended !== undefined) throw this.#failure(this.#ended);
    }
  }

  async finish(how: { early?: boolean } = {}): Promise<void> {
    if (!this.#nut) {
      // Of nothing ffmpeg makes no file, and says that something was wrong with it.
      await this.abort();
      if (how.early) return;
      throw new UnderstudyError(
        ExitCode.input,
        `there was no picture for ${this.#path}`,
        'check the input, --start and --duration',
      );
    }
    this.#stdin.end();
    await this.#options.liveAudio?.close();
    const code = await this.#child.exited;
    // ffmpeg ends with 0 also when the disk was full as it wrote the index.
    if (code !== 0 || INCOMPLETE.test(this.#child.errors())) {
      this.discard();
      throw this.#failure(code);
    }
    if (how.early && this.#options.cutSound) await this.#cutSound(this.#options.cutSound.container);
    // Dropped while the sound was being cut: what is left of it gets no name.
    if (!unfinished.has(this)) throw this.#failure('SIGKILL');
    this.#rename();
    unfinished.delete(this);
  }

  #rename(): void {
    try {
      renameSync(this.#temporary, this.#path);
    } catch (cause) {
      this.discard();
      throw outputError(`${this.#path} could not be named (${(cause as Error).message})`, 'check the output folder');
    }
  }

  /** The encoder copied the sound to its end before it knew that the pictures would stop. */
  async #cutSound(container: string): Promise<void> {
    const cut = `${this.#temporary}${CUT}`;
    const seconds = (this.#lastUs + FRAME_US) / 1e6;
    const args = ffmpegArguments({
      inputs: [{ from: this.#temporary, options: ['-copyts'] }],
      output: cut,
      options: [
        ...['-map', '0', '-c', 'copy', '-y', '-copyts', '-t', String(seconds), '-map_metadata', '-1'],
        ...['-fflags', '+bitexact', ...containerArguments(container)],
      ],
    });
    this.#cutter = spawnFfmpeg(this.#tool, args);
    const code = await this.#cutter.exited;
    if (code === 0 && unfinished.has(this)) renameSync(cut, this.#temporary);
    else rmSync(cut, { force: true });
  }

  async abort(): Promise<void> {
    this.#child.process.kill('SIGKILL');
    await this.#options.liveAudio?.close();
    await this.#child.exited;
    this.discard();
  }

  /** Ends the encoder and removes what it wrote, at once: also called while the process ends. */
  discard(): void {
    unfinished.delete(this);
    this.#child.process.kill('SIGKILL');
    this.#cutter?.process.kill('SIGKILL');
    for (const path of [this.#temporary, `${this.#temporary}${CUT}`]) rmSync(path, { force: true });
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
  for (const name of existsSync('/proc/self') ? readdirSync(folder) : []) {
    if (!name.startsWith(prefix)) continue;
    const [pid, rest] = [Number.parseInt(name.slice(prefix.length), 10), name.slice(prefix.length).replace(/^\d+/, '')];
    const ours = rest === extension || rest === `${extension}${CUT}`;
    if (pid && ours && !existsSync(`/proc/${pid}`)) rmSync(join(folder, name), { force: true });
  }
  return join(folder, `${prefix}${process.pid}${extension}`);
}
