import type { Readable, Writable } from 'node:stream';
import { ExitCode, UnderstudyError } from '../../core/errors.ts';
import { type FfmpegProcess, type FfmpegTool, ffmpegArguments, spawnFfmpeg } from '../../core/ffmpeg.ts';
import { NalType, nalType, splitAnnexB } from '../../core/h264.ts';
import { IvfReader } from '../../core/ivf.ts';
import { NUT_OUTPUT } from '../../core/nut/constants.ts';
import { NutDemuxer } from '../../core/nut/demuxer.ts';
import { NutWriter } from '../../core/nut/muxer.ts';
import { isVp8Key } from '../../core/rtp-vp8.ts';
import type { PictureFormat, SealedFrame } from '../../core/video-frame.ts';
import type { VideoCodecName } from '../../core/webrtc/offer.ts';

export interface EncodedPicture {
  readonly data: Uint8Array;
  /** Presentation time in 1/90000 s. */
  readonly ticks: number;
  readonly key: boolean;
}

export interface CodedEncoderPorts {
  onPicture(picture: EncodedPicture): void;
  onEnd(encoder: CodedEncoder): void;
}

/** ffmpeg's encoder of each codec. */
export const ENCODERS: Readonly<Record<VideoCodecName, string>> = { vp8: 'libvpx', h264: 'libx264' };

/** Key pictures are wanted at most this often: each costs many times a normal picture. */
const KEY_INTERVAL_MS = 500;
const STALL_MS = 5000;
const DRAIN_MS = 1000;
/** A key picture is sent in one go: what gets lost of a larger one, and may have to be sent again (`SentPackets`), takes too long. */
const MAX_KEY_BYTES = 120_000;

/** An ffmpeg process that encodes sealed frames for one codec and bit rate, with key pictures on demand. */
export class CodedEncoder {
  readonly format: PictureFormat;
  readonly kbps: number;
  readonly #child: FfmpegProcess;
  readonly #stdin: Writable;
  readonly #nut: NutWriter;
  #headerSent = false;
  #keyWanted = false;
  #lastKeyMs = Number.NEGATIVE_INFINITY;
  #lastTicks = -1;

  constructor(tool: FfmpegTool, codec: VideoCodecName, format: PictureFormat, kbps: number, ports: CodedEncoderPorts) {
    this.format = format;
    this.kbps = kbps;
    this.#nut = new NutWriter(format, { narrow: !tool.modern, endless: true });
    this.#child = spawnFfmpeg(tool, encoderArguments(codec, kbps));
    this.#stdin = this.#child.process.stdin as Writable;
    // A broken pipe shows as the process's exit.
    this.#stdin.on('error', () => {});
    const read = codec === 'vp8' ? readVp8 : readH264;
    void read(this.#child.process.stdout as Readable, ports.onPicture)
      .catch(() => this.#child.process.kill('SIGKILL'))
      .then(() => this.#child.exited)
      .then(() => ports.onEnd(this));
  }

  requestKey(): void {
    this.#keyWanted = true;
  }

  /**
   * Resolves when the frame's bytes have left, or the process has: only then may the frame be closed.
   * A frame for which the encoder has no room yet is not taken.
   * @param timestampUs when it is shown, on the viewers' clock
   * @returns whether it was taken
   */
  async encode(frame: SealedFrame, timestampUs = frame.timestampUs): Promise<boolean> {
    if (this.#stdin.writableNeedDrain || !this.#stdin.writable) return false;
    if (!this.#headerSent) {
      this.#headerSent = true;
      this.#stdin.write(this.#nut.header);
    }
    const { pixels } = frame;
    this.#stdin.write(this.#nut.picture(this.#timeFor(timestampUs), pixels.length));
    const sent = new Promise<void>((done) => this.#stdin.write(pixels, () => done()));
    // An encoder that takes nothing for this long is hung, and the stages wait for it.
    const timer = setTimeout(() => this.#child.process.kill('SIGKILL'), STALL_MS);
    await this.#child.orExit(sent);
    clearTimeout(timer);
    return true;
  }

  /** Lets what is inside come out, then ends. */
  async finish(): Promise<void> {
    this.#stdin.end();
    const timer = setTimeout(() => this.#child.process.kill('SIGKILL'), DRAIN_MS);
    await this.#child.exited;
    clearTimeout(timer);
  }

  async close(): Promise<void> {
    this.#child.process.kill('SIGKILL');
    await this.#child.exited;
  }

  /** An odd tick asks the encoder for a key picture, an even one for a normal one. Microseconds. */
  #timeFor(timestampUs: number): number {
    const now = performance.now();
    const first = this.#lastTicks < 0;
    // The expression's clock starts at the first frame, which is a key picture anyway: it has to be even.
    const key = !first && this.#keyWanted && now - this.#lastKeyMs >= KEY_INTERVAL_MS;
    if (key || first) {
      this.#keyWanted = false;
      this.#lastKeyMs = now;
    }
    let ticks = 2 * Math.round(timestampUs * 0.045);
    while (ticks <= this.#lastTicks) ticks += 2;
    if (key) ticks++;
    this.#lastTicks = ticks;
    return Math.round((ticks * 100) / 9);
  }
}

function encoderArguments(codec: VideoCodecName, kbps: number): string[] {
  const rate = ['-b:v', `${kbps}k`, '-maxrate', `${kbps}k`, '-bufsize', `${Math.round(kbps / 2)}k`];
  // A key picture of at most so many percent of the average.
  const intra = Math.max(100, Math.round((MAX_KEY_BYTES * 8 * 30) / (kbps * 10)));
  const encoder =
    codec === 'vp8'
      ? [
          ...[
            '-c:v',
            ENCODERS.vp8,
            '-deadline',
            'realtime',
            '-cpu-used',
            '8',
            '-lag-in-frames',
            '0',
            '-auto-alt-ref',
            '0',
          ],
          ...['-error-resilient', 'default', '-static-thresh', '100', '-qmin', '4', '-qmax', '56', '-threads', '1'],
          ...['-max-intra-rate', String(Math.min(intra, 900)), '-f', 'ivf'],
        ]
      : [
          ...[
            '-c:v',
            ENCODERS.h264,
            '-preset',
            'ultrafast',
            '-tune',
            'zerolatency',
            '-profile:v',
            'baseline',
            '-bf',
            '0',
          ],
          ...['-x264-params', 'repeat-headers=1:fps=30:sliced-threads=0:threads=1', ...NUT_OUTPUT],
        ];
  const args = ffmpegArguments({
    inputs: [{ from: 'pipe:0', options: ['-copyts', '-f', 'nut', '-fpsprobesize', '0', '-probesize', '32'] }],
    output: 'pipe:1',
    options: [
      ...['-map', '0:v:0', '-vsync', '0', '-enc_time_base', '1:90000', ...rate, '-g', '9999'],
      ...['-force_key_frames', 'expr:eq(mod(round(t*90000),2),1)', '-pix_fmt', 'yuv420p', '-flush_packets', '1'],
      ...encoder,
    ],
  });
  // -nostdin would close the pipe that the pictures go through.
  return args.filter((arg) => arg !== '-nostdin');
}

async function readVp8(stdout: Readable, onPicture: CodedEncoderPorts['onPicture']): Promise<void> {
  const reader = new IvfReader();
  for await (const chunk of stdout) {
    for (const { data, ticks } of reader.push(chunk as Uint8Array)) onPicture({ data, ticks, key: isVp8Key(data) });
  }
}

async function readH264(stdout: Readable, onPicture: CodedEncoderPorts['onPicture']): Promise<void> {
  const demuxer = new NutDemuxer();
  let data: Uint8Array | undefined;
  let filled = 0;
  let timestampUs = 0;
  for await (const chunk of stdout) {
    demuxer.push(chunk as Uint8Array);
    for (;;) {
      if (data) {
        const part = demuxer.take(data.length - filled);
        data.set(part, filled);
        filled += part.length;
        if (filled < data.length) break;
        const key = splitAnnexB(data).some((nal) => nalType(nal) === NalType.idr);
        onPicture({ data, ticks: Math.round((timestampUs * 9) / 100), key });
        data = undefined;
      }
      const event = demuxer.next();
      if (!event) break;
      if ('frame' in event) {
        data = new Uint8Array(event.frame.byteLength);
        filled = 0;
        timestampUs = event.frame.timestampUs;
      }
    }
  }
}

/** Codecs that this ffmpeg has an encoder for. @throws UnderstudyError(tool) when there is none */
export function encodable({ encoders, version }: FfmpegTool): VideoCodecName[] {
  const codecs = (['vp8', 'h264'] as const).filter((codec) => encoders.has(ENCODERS[codec]));
  if (codecs.length > 0) return codecs;
  throw new UnderstudyError(
    ExitCode.tool,
    `ffmpeg ${version} has neither ${ENCODERS.vp8} nor ${ENCODERS.h264}`,
    'install a full ffmpeg, or set FFMPEG_PATH',
  );
}
