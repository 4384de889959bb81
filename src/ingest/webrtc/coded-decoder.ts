import type { Readable, Writable } from 'node:stream';
import { type FfmpegProcess, type FfmpegTool, spawnFfmpeg } from '../../core/ffmpeg.ts';
import { ivfFrameHeader, ivfHeader } from '../../core/ivf.ts';
import { nutFrameHeader, nutHeader } from '../../core/nut/muxer.ts';
import type { CodedPicture } from '../../core/rtp.ts';
import type { PictureFormat } from '../../core/video-frame.ts';
import type { VideoCodecName } from '../../core/webrtc/offer.ts';
import { liveDecoderArguments } from '../live/decoder-arguments.ts';
import { DecoderLog } from '../live/decoder-log.ts';
import { type PictureReaderPorts, readPictures } from '../live/picture-reader.ts';

/** Bytes on their way to a decoder that does not take them: beyond it, it is hung. */
const MAX_BACKLOG = 4 << 20;

export interface CodedDecoderPorts extends Pick<PictureReaderPorts, 'slot' | 'onPicture'> {
  /** The decoder complained: pictures handed over lately may be wrong. */
  onDamage(): void;
  onEnd(): void;
}

/** One ffmpeg process that decodes the coded pictures of one size. */
export class CodedDecoder {
  readonly size: { readonly width: number; readonly height: number };
  readonly log: DecoderLog;
  readonly #codec: VideoCodecName;
  readonly #child: FfmpegProcess;
  readonly #stdin: Writable;
  #headerSent = false;

  constructor(
    tool: FfmpegTool,
    codec: VideoCodecName,
    size: { readonly width: number; readonly height: number },
    canvas: PictureFormat,
    ports: CodedDecoderPorts,
  ) {
    this.size = size;
    this.#codec = codec;
    this.log = new DecoderLog(ports.onDamage);
    const input = { from: 'pipe:0', options: ['-copyts', '-f', codec === 'vp8' ? 'ivf' : 'nut'] };
    const args = liveDecoderArguments(tool, input, canvas).filter((arg) => arg !== '-nostdin');
    this.#child = spawnFfmpeg(tool, args, (line) => this.log.line(line));
    this.#stdin = this.#child.process.stdin as Writable;
    // A broken pipe shows as the process's exit.
    this.#stdin.on('error', () => {});
    const done = readPictures(this.#child.process.stdout as Readable, { ...ports, onStream: () => {} });
    void done.catch(() => this.#child.process.kill('SIGKILL'));
    void this.#child.exited.then(() => ports.onEnd());
  }

  /** @returns false when the decoder is hung and has been ended */
  decode(picture: CodedPicture, ticks: number): boolean {
    if (this.#stdin.writableLength > MAX_BACKLOG) {
      this.#child.process.kill('SIGKILL');
      return false;
    }
    const { width, height } = this.size;
    if (!this.#headerSent) {
      this.#headerSent = true;
      this.#stdin.write(this.#codec === 'vp8' ? ivfHeader(width, height) : nutHeader(width, height, 'H264'));
    }
    const { data } = picture;
    const head =
      this.#codec === 'vp8'
        ? ivfFrameHeader(data.length, ticks)
        : nutFrameHeader(Math.round((ticks * 100) / 9), data.length);
    this.#stdin.write(head);
    this.#stdin.write(data);
    return true;
  }

  async close(): Promise<void> {
    this.#child.process.kill('SIGKILL');
    await this.#child.exited;
  }
}
