import type { Readable } from 'node:stream';
import { Observable } from 'rxjs';
import { ExitCode, UnderstudyError } from '../../core/errors.ts';
import { type FfmpegProcess, ffmpegArguments, findFfmpeg, lastLine, spawnFfmpeg } from '../../core/ffmpeg.ts';
import { FramePool } from '../../core/frame-pool.ts';
import { NutDemuxer } from '../../core/nut/demuxer.ts';
import { type ColourSpec, type FrameSlot, planeLayout, RawFrame } from '../../core/video-frame.ts';
import type { Source, SourceInfo } from '../source.ts';
import { type FileProbe, inputError, probeFile } from './probe.ts';

export interface FileSourceOptions {
  /** Seconds into the file, and seconds to read. */
  readonly startS?: number;
  readonly durationS?: number;
  /** Frames that may be under way at once: the look-ahead and what the stages hold. */
  readonly poolFrames: number;
  /** Frames before a decoder error that may be wrong already. */
  readonly damageLookback: number;
  /** A still picture: its one frame is handed on when all of the file has been decoded without an error, else not at all. */
  readonly refuseDamaged?: boolean;
  readonly ffmpegPath?: string;
}

/** @throws UnderstudyError(input|tool) before the first frame */
export async function openFileSource(path: string, options: FileSourceOptions): Promise<FileSource> {
  const tool = await findFfmpeg(options.ffmpegPath);
  const probe = await probeFile(tool, path);
  const seek = [
    ...(options.startS ? ['-ss', String(options.startS)] : []),
    ...(options.durationS ? ['-t', String(options.durationS)] : []),
  ];
  const args = ffmpegArguments({
    inputs: [{ from: `file:${path}`, options: ['-copyts', ...seek] }],
    output: 'pipe:1',
    options: [
      ...['-map', '0:V:0', '-vf', filters(probe), '-vsync', '0', '-enc_time_base', '1:1000000'],
      ...['-c:v', 'rawvideo', '-pix_fmt', 'yuv420p', '-f', 'nut'],
    ],
  });
  return new FileSource(path, probe, options, (onError) => spawnFfmpeg(tool, args, onError));
}

function filters(probe: FileProbe): string {
  const chain: string[] = [];
  if (probe.interlaced) chain.push('yadif=deint=interlaced');
  if (probe.highDynamicRange)
    chain.push('zscale=t=linear:npl=100,format=gbrpf32le,zscale=p=bt709,tonemap=hable,zscale=t=bt709:m=bt709:r=tv');
  chain.push('format=yuv420p');
  return chain.join(',');
}

/** A recording. Decoded by an ffmpeg process straight into pooled shared memory; a full pool pauses the decoder. */
export class FileSource implements Source {
  readonly info: SourceInfo;
  readonly probe: FileProbe;
  readonly frames: Observable<RawFrame>;
  decodeErrors = 0;
  readonly #path: string;
  readonly #pool: FramePool;
  readonly #options: FileSourceOptions;
  readonly #colour: ColourSpec;
  readonly #recent: RawFrame[] = [];
  #process: FfmpegProcess | undefined;
  /** Frames up to this one are veiled: an error was reported while they were under way. */
  #damagedUntil = -1;
  #sequence = 0;
  #closed = false;

  constructor(
    path: string,
    probe: FileProbe,
    options: FileSourceOptions,
    start: (onError: (line: string) => void) => FfmpegProcess,
  ) {
    this.#path = path;
    this.probe = probe;
    this.#options = options;
    this.#colour = probe.highDynamicRange ? { matrix: 'bt709', range: 'limited' } : probe.colour;
    const { width, height } = probe;
    this.info = {
      format: { width, height, colour: this.#colour },
      hasAudio: probe.hasAudio,
      ...(probe.frameRate && { frameRate: probe.frameRate }),
      ...(probe.frameCount && { frameCount: probe.frameCount }),
      ...(probe.durationUs && { durationUs: probe.durationUs }),
    };
    this.#pool = new FramePool(planeLayout(width, height).byteLength, options.poolFrames);
    this.frames = new Observable((subscriber) => {
      const child = start((line) => this.#onDecoderError(line));
      this.#process = child;
      this.#read(child, (frame) => subscriber.next(frame)).then(
        () => subscriber.complete(),
        (error) => subscriber.error(error),
      );
      return () => void child.process.kill('SIGKILL');
    });
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#process?.process.kill('SIGKILL');
    await this.#process?.exited;
  }

  async #read(child: FfmpegProcess, emit: (frame: RawFrame) => void): Promise<void> {
    const demuxer = new NutDemuxer();
    let slot: FrameSlot | undefined;
    let target: Uint8Array = new Uint8Array();
    let filled = 0;
    let timestampUs = 0;
    let whole: RawFrame | undefined;
    try {
      for await (const chunk of child.process.stdout as Readable) {
        demuxer.push(chunk as Uint8Array);
        for (;;) {
          if (slot) {
            const part = demuxer.take(target.length - filled);
            target.set(part, filled);
            filled += part.length;
            if (filled < target.length) break;
            const frame = this.#frame(timestampUs, slot);
            if (this.#options.refuseDamaged) whole = frame;
            else emit(frame);
            slot = undefined;
          }
          const event = demuxer.next();
          if (!event) break;
          if ('stream' in event) this.#checkSize(event.stream);
          else {
            slot = await this.#pool.acquire();
            target = new Uint8Array(slot.memory, 0, event.frame.byteLength);
            filled = 0;
            timestampUs = event.frame.timestampUs;
          }
        }
      }
    } finally {
      slot?.release();
    }
    await this.#checkEnd(child, slot !== undefined);
    if (whole && this.decodeErrors > 0) {
      whole.close();
      throw inputError(`${this.#path} is damaged (${lastLine(child.errors())})`, 'get another copy of it');
    }
    if (whole) emit(whole);
  }

  #frame(timestampUs: number, slot: FrameSlot): RawFrame {
    const frame = new RawFrame({ sequence: this.#sequence++, timestampUs, format: this.info.format }, slot);
    if (frame.sequence <= this.#damagedUntil) frame.damaged = true;
    this.#recent.push(frame);
    if (this.#recent.length > this.#options.damageLookback) this.#recent.shift();
    return frame;
  }

  /** ffmpeg marks no picture as damaged and says only that something was: everything near it is veiled. */
  #onDecoderError(_line: string): void {
    this.decodeErrors++;
    for (const frame of this.#recent) frame.damaged = true;
    const toNextKeyFrame = Math.ceil((this.info.frameRate ?? 30) * 2);
    this.#damagedUntil = Math.max(this.#damagedUntil, this.#sequence + toNextKeyFrame);
  }

  #checkSize(stream: { width: number; height: number }): void {
    const { width, height } = this.info.format;
    if (stream.width !== width || stream.height !== height) {
      throw inputError(
        `${this.#path} says ${width}×${height} and decodes to ${stream.width}×${stream.height}`,
        'copy it into a new container with ffmpeg',
      );
    }
  }

  async #checkEnd(child: FfmpegProcess, midFrame: boolean): Promise<void> {
    const code = await child.exited;
    if (this.#closed) return;
    if (typeof code === 'string') {
      throw new UnderstudyError(
        ExitCode.tool,
        `the decoder of ${this.#path} was ended by ${code}`,
        'run it again; if it repeats, check memory and the ffmpeg build',
      );
    }
    if (this.#sequence === 0)
      throw inputError(
        `no picture could be decoded from ${this.#path} (${lastLine(child.errors())})`,
        'check the file with ffprobe',
      );
    if (code !== 0 || midFrame)
      throw inputError(
        `${this.#path} ends early: ${lastLine(child.errors())}`,
        'what came before it has been anonymized and kept',
      );
  }
}
