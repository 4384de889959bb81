import type { Readable, Writable } from 'node:stream';
import { type FfmpegProcess, type FfmpegTool, spawnFfmpeg } from '../../core/ffmpeg.ts';
import { ivfFrameHeader, ivfHeader } from '../../core/ivf.ts';
import { NutWriter } from '../../core/nut/muxer.ts';
import type { CodedPicture } from '../../core/rtp.ts';
import type { FrameSlot, PictureFormat } from '../../core/video-frame.ts';
import type { VideoCodecName } from '../../core/webrtc/offer.ts';
import { liveDecoderArguments } from '../live/decoder-arguments.ts';
import { DecoderLog } from '../live/decoder-log.ts';
import { type PictureReaderPorts, readPictures } from '../live/picture-reader.ts';

/** Bytes on their way to a decoder that does not take them: beyond it, it is hung. */
const MAX_BACKLOG = 4 << 20;
/** A picture that is inside for this long is late: the rest of its group is skipped instead of making all later ones late too. */
const MAX_INSIDE_MS = 400;
/** Pictures inside that say nothing: one may be held back until the next one comes, however long that takes. */
const HELD_BACK = 2;
const GIVEN_UP_MS = 2000;
/** Ten seconds, for one that takes pictures and gives none. */
const MAX_INSIDE = 300;
/** The decoder's clock is in microseconds, ours in 1/90000 s. */
const ROUNDING_TICKS = 2;

export interface CodedDecoderPorts extends Pick<PictureReaderPorts, 'slot'> {
  /** @param arrivedMs when the picture was handed to the decoder, by `performance.now()` */
  onPicture(slot: FrameSlot | undefined, timestampUs: number, arrivedMs: number): void;
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
  readonly #nut: NutWriter;
  readonly #inside: { readonly ticks: number; readonly arrivedMs: number }[] = [];
  #headerSent = false;
  /** Its first picture has come out: until then the process is only starting. */
  #started = false;

  constructor(
    tool: FfmpegTool,
    codec: VideoCodecName,
    size: { readonly width: number; readonly height: number },
    canvas: PictureFormat,
    ports: CodedDecoderPorts,
  ) {
    this.size = size;
    this.#codec = codec;
    this.#nut = new NutWriter({ ...size, tag: 'H264' }, { narrow: !tool.modern, endless: true });
    this.log = new DecoderLog(ports.onDamage, undefined, true);
    // Probing would hold the first second of H.264 back; WebRTC has no B-frames to wait for.
    const quick = ['-probesize', '32', '-analyzeduration', '0', '-flags', 'low_delay'];
    const input = { from: 'pipe:0', options: ['-copyts', ...quick, '-f', codec === 'vp8' ? 'ivf' : 'nut'] };
    const args = liveDecoderArguments(tool, input, canvas).filter((arg) => arg !== '-nostdin');
    this.#child = spawnFfmpeg(tool, args, (line) => this.log.line(line));
    this.#stdin = this.#child.process.stdin as Writable;
    // A broken pipe shows as the process's exit.
    this.#stdin.on('error', () => {});
    const done = readPictures(this.#child.process.stdout as Readable, {
      slot: ports.slot,
      onStream: () => {},
      onPicture: (slot, timestampUs) => ports.onPicture(slot, timestampUs, this.#cameOut(timestampUs)),
    });
    void done.catch(() => this.#child.process.kill('SIGKILL'));
    void this.#child.exited.then(() => ports.onEnd());
  }

  /** Whether pictures wait inside for too long: nothing more may be added, or the latency would grow. */
  get late(): boolean {
    const first = this.#inside[0];
    return this.#started && this.#inside.length > HELD_BACK && performance.now() - first!.arrivedMs > MAX_INSIDE_MS;
  }

  /** Late for so long that it will not catch up, or has swallowed pictures: a new one at the next key picture is quicker. */
  get lost(): boolean {
    const first = this.#inside[0];
    return this.#inside.length > HELD_BACK && performance.now() - first!.arrivedMs > GIVEN_UP_MS;
  }

  /** @returns false when the decoder is hung and has been ended */
  decode(picture: CodedPicture, ticks: number): boolean {
    if (this.#stdin.writableLength > MAX_BACKLOG || this.#inside.length >= MAX_INSIDE) {
      this.#child.process.kill('SIGKILL');
      return false;
    }
    this.#inside.push({ ticks, arrivedMs: performance.now() });
    const { width, height } = this.size;
    if (!this.#headerSent) {
      this.#headerSent = true;
      this.#stdin.write(this.#codec === 'vp8' ? ivfHeader(width, height) : this.#nut.header);
    }
    const { data } = picture;
    const head =
      this.#codec === 'vp8'
        ? ivfFrameHeader(data.length, ticks)
        : this.#nut.picture(Math.round((ticks * 100) / 9), data.length);
    this.#stdin.write(head);
    this.#stdin.write(data);
    return true;
  }

  /** When the picture that has come out went in. One the decoder swallowed is forgotten with the next that comes out. */
  #cameOut(timestampUs: number): number {
    this.#started = true;
    const ticks = timestampUs * 0.09 + ROUNDING_TICKS;
    let arrivedMs = performance.now();
    while (this.#inside[0] && this.#inside[0].ticks <= ticks) arrivedMs = this.#inside.shift()!.arrivedMs;
    return arrivedMs;
  }

  async close(): Promise<void> {
    this.#child.process.kill('SIGKILL');
    await this.#child.exited;
  }
}
