import type { Readable, Writable } from 'node:stream';
import { type FfmpegProcess, type FfmpegTool, ffmpegArguments, spawnFfmpeg } from '../ffmpeg.ts';
import { NUT_OUTPUT } from '../nut/constants.ts';
import { NutWriter } from '../nut/muxer.ts';
import { AudioReader } from './audio-reader.ts';
import { AudioTrack, sameFormat } from './audio-track.ts';
import { durationUs, knownCodec, silence } from './codec.ts';

export type AudioEncoding = 'aac' | 'opus';

/** Encoders put their first packet before the first sample, and NUT has no time before zero: this is added inside. */
const LEAD_US = 1_000_000;
/** Silence in front, from which the encoder learns what it needs to tell its format. */
const PRIMED_US = { from: 400_000, to: 800_000 };
const FORMAT_MS = 3000;
const RESTART_MS = 1000;

const ENCODERS: Record<AudioEncoding, { readonly name: string; readonly options: readonly string[] }> = {
  aac: { name: 'aac', options: ['-b:a', '96k', '-profile:a', 'aac_low'] },
  // What WebRTC plays: 48 kHz, packets of 20 ms.
  opus: { name: 'libopus', options: ['-b:a', '96k', '-ar', '48000', '-frame_duration', '20'] },
};

/**
 * Sound encoded anew by a process of its own: whatever happens to it, pictures are neither delayed nor stopped.
 * Started again when it dies; what comes meanwhile is lost.
 */
export class TranscodedAudio {
  /** Undefined when it could not be started. */
  track: AudioTrack | undefined;
  readonly #tool: FfmpegTool;
  readonly #from: AudioTrack;
  readonly #to: AudioEncoding;
  readonly #unsubscribe: () => void;
  #child: FfmpegProcess | undefined;
  #nut: NutWriter | undefined;
  #retry: NodeJS.Timeout | undefined;
  #opened: () => void = () => {};
  #closed = false;

  private constructor(tool: FfmpegTool, from: AudioTrack, to: AudioEncoding) {
    this.#tool = tool;
    this.#from = from;
    this.#to = to;
    this.#unsubscribe = from.subscribe(({ data, timestampUs }) => this.#write(data, timestampUs + LEAD_US));
  }

  /** Resolves when the format is known, or with undefined when the sound cannot be encoded. */
  static async open(tool: FfmpegTool, from: AudioTrack, to: AudioEncoding): Promise<TranscodedAudio | undefined> {
    if (!tool.encoders.has(ENCODERS[to].name)) return undefined;
    const audio = new TranscodedAudio(tool, from, to);
    const opened = new Promise<void>((resolve) => {
      audio.#opened = resolve;
    });
    audio.#start();
    const timer = setTimeout(() => audio.#opened(), FORMAT_MS);
    await opened;
    clearTimeout(timer);
    if (audio.track) return audio;
    await audio.close();
    return undefined;
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#unsubscribe();
    clearTimeout(this.#retry);
    this.#child?.process.kill('SIGKILL');
    await this.#child?.exited;
  }

  #start(): void {
    const { name, options } = ENCODERS[this.#to];
    const args = ffmpegArguments({
      inputs: [{ from: 'pipe:0', options: ['-copyts', '-f', 'nut', '-probesize', '32', '-analyzeduration', '0'] }],
      output: 'pipe:1',
      options: [
        ...['-map', '0:a:0', '-c:a', name, ...options, '-ac', String(Math.min(2, this.#from.format.channels))],
        ...['-flush_packets', '1', ...NUT_OUTPUT],
      ],
    });
    // -nostdin would close the pipe that the sound goes through.
    const child = spawnFfmpeg(
      this.#tool,
      args.filter((arg) => arg !== '-nostdin'),
    );
    this.#child = child;
    // A broken pipe shows as the process's exit.
    child.process.stdin?.on('error', () => {});
    const reader = new AudioReader({
      onFormat: (format) => {
        this.track ??= new AudioTrack(format, this.#from);
        if (!sameFormat(this.track.format, format)) throw new Error('the encoder changed its format');
        this.#opened();
      },
      onPacket: (data, timestampUs) => {
        // Before zero is the silence from the start.
        if (timestampUs >= LEAD_US) this.track?.push({ data, timestampUs: timestampUs - LEAD_US });
      },
    });
    (child.process.stdout as Readable).on('data', (chunk: Uint8Array) => {
      try {
        reader.push(chunk);
      } catch {
        child.process.kill('SIGKILL');
      }
    });
    void child.exited.then(() => this.#ended(child));
    this.#prime(child);
  }

  #ended(child: FfmpegProcess): void {
    if (this.#child === child) this.#child = undefined;
    if (this.#closed) return;
    if (this.track) this.#retry = setTimeout(() => this.#start(), RESTART_MS).unref();
    else this.#opened();
  }

  #prime(child: FfmpegProcess): void {
    const { format } = this.#from;
    this.#nut = new NutWriter(undefined, { audio: format, narrow: !this.#tool.modern, endless: true });
    child.process.stdin?.write(this.#nut.header);
    const codec = knownCodec(format);
    if (!codec) return;
    const packet = silence(codec, format);
    const stepUs = durationUs(codec, format, packet);
    for (let atUs = PRIMED_US.from; atUs < PRIMED_US.to; atUs += stepUs) this.#write(packet, Math.round(atUs));
  }

  #write(data: Uint8Array, timestampUs: number): void {
    const stdin = this.#child?.process.stdin as Writable | undefined;
    if (!stdin?.writable || !this.#nut) return;
    if (stdin.writableNeedDrain) {
      this.#from.drop('encoder');
      return;
    }
    stdin.write(this.#nut.sound({ timestampUs, data }));
  }
}
