import type { AudioTrack } from '../../core/audio/audio-track.ts';
import type { KnownCodec } from '../../core/audio/codec.ts';
import { deliverAudio } from '../../core/audio/deliver.ts';
import { ExitCode, UnderstudyError } from '../../core/errors.ts';
import { type FfmpegTool, ffmpegArguments, findFfmpeg, spawnFfmpeg } from '../../core/ffmpeg.ts';
import { AUDIO_COPIED, AudioLane } from './audio-lane.ts';
import { LiveSink } from './live-sink.ts';

export interface LiveOutput {
  /** Address or device as ffmpeg takes it. */
  readonly to: string;
  /** Options of the encoder, the muxer and the protocol. */
  readonly options: readonly string[];
  /** Sound that it carries as it is; other sound becomes AAC. Undefined: it carries none. */
  readonly carries?: readonly KnownCodec[];
}

export interface LiveOutputOptions {
  readonly bitrateKbps?: number;
  /** Seconds between key pictures. */
  readonly keyIntervalS?: number;
  readonly stallMs?: number;
  /** The source's sound. */
  readonly audio?: AudioTrack | undefined;
  readonly ffmpegPath?: string;
  readonly onWarning?: (sentence: string) => void;
}

/**
 * x264 without delay: no B-frames, no look-ahead, parameter sets before each key picture. The rate control is told 30 frames a second: from a stream
 * whose rate nobody probed it takes the time base's million, and spends next to nothing on each.
 * @throws UnderstudyError(output)
 */
export function lowDelayH264(tool: FfmpegTool, options: LiveOutputOptions): string[] {
  if (!tool.encoders.has('libx264')) {
    throw new UnderstudyError(
      ExitCode.output,
      `the encoder libx264 is not in ffmpeg ${tool.version}`,
      'install a full ffmpeg, or set FFMPEG_PATH',
    );
  }
  const kbps = options.bitrateKbps ?? 4000;
  return [
    ...['-c:v', 'libx264', '-preset', 'ultrafast', '-tune', 'zerolatency', '-x264-params', 'repeat-headers=1:fps=30'],
    ...['-b:v', `${kbps}k`, '-maxrate', `${kbps}k`, '-bufsize', `${kbps}k`, '-g', '9999', '-bf', '0'],
    ...['-force_key_frames', `expr:gte(t,n_forced*${options.keyIntervalS ?? 2})`, '-pix_fmt', 'yuv420p'],
  ];
}

async function openLane(
  tool: FfmpegTool,
  { carries }: LiveOutput,
  { audio, onWarning }: LiveOutputOptions,
): Promise<AudioLane | undefined> {
  if (!audio || !carries) return undefined;
  const delivered = await deliverAudio(tool, audio, carries, 'aac');
  if (!delivered) onWarning?.('the sound could not be encoded for a live output; it goes without');
  return delivered && new AudioLane(delivered);
}

export async function openLiveSink(
  output: (tool: FfmpegTool) => LiveOutput | Promise<LiveOutput>,
  options: LiveOutputOptions,
): Promise<LiveSink> {
  const tool = await findFfmpeg(options.ffmpegPath);
  const target = await output(tool);
  const audio = await openLane(tool, target, options);
  const args = ffmpegArguments({
    inputs: [{ from: 'pipe:0', options: ['-f', 'nut', '-fpsprobesize', '0', '-probesize', '32'] }],
    output: target.to,
    options: ['-map', '0:v:0', ...(audio ? AUDIO_COPIED : []), '-vsync', '0', '-copyts', ...target.options],
  });
  // -nostdin would close the pipe that the pictures go through.
  const piped = ['-progress', 'pipe:1', ...args.filter((arg) => arg !== '-nostdin')];
  return new LiveSink(() => spawnFfmpeg(tool, piped), {
    stallMs: options.stallMs ?? 5000,
    audio,
    narrowNut: !tool.modern,
    ...(options.onWarning && { onWarning: options.onWarning }),
  });
}
