import { extname } from 'node:path';
import { ExitCode, UnderstudyError } from '../../core/errors.ts';
import type { FfmpegTool } from '../../core/ffmpeg.ts';
import type { ColourSpec } from '../../core/video-frame.ts';

export type VideoCodec = 'h264' | 'h265' | 'vp9';

export interface EncoderSettings {
  /** `auto`: what the container is known for. */
  readonly codec: VideoCodec | 'auto';
  /** Constant rate factor on the codec's own scale; lower is better. */
  readonly crf: number;
  /** x264/x265 preset; VP9 takes its speed from it. */
  readonly preset: string;
  /** Name of a hardware family (`nvenc`, `qsv`, `vaapi`, `videotoolbox`) or `none`. */
  readonly hardware: string;
}

const SOFTWARE = { h264: 'libx264', h265: 'libx265', vp9: 'libvpx-vp9' } as const;
/** The worst constant rate factor of each codec. */
const MAX_CRF = { h264: 51, h265: 51, vp9: 63 } as const;
const HARDWARE_NAME = { h264: 'h264', h265: 'hevc', vp9: 'vp9' } as const;
export interface Container {
  readonly format: string;
  /** Codecs of pictures that it can carry; the first is taken unless another is asked for. */
  readonly video: readonly VideoCodec[];
  /** Codecs of sound that are copied. */
  readonly audio: readonly string[];
  /** ffmpeg's encoder of all other sound, but for: */
  readonly encoder: string;
  /** Codecs without loss, encoded anew as what they were. */
  readonly lossless?: readonly string[];
}

/**
 * Containers by extension, with the sound that each can carry unchanged. Vorbis is encoded anew: its headers hold tags. So are MP3,
 * AC-3 and FLAC: what lies between their frames, ID3 tags with a picture for example, is part of a packet and a copy would take it along.
 */
const CONTAINERS: Record<string, Container> = {
  '.mp4': { format: 'mp4', video: ['h264', 'h265', 'vp9'], audio: ['aac', 'opus', 'alac'], encoder: 'aac' },
  '.m4v': { format: 'mp4', video: ['h264', 'h265', 'vp9'], audio: ['aac'], encoder: 'aac' },
  '.mov': { format: 'mov', video: ['h264', 'h265'], audio: ['aac', 'alac', 'pcm_s16le'], encoder: 'aac' },
  '.mkv': {
    format: 'matroska',
    video: ['h264', 'h265', 'vp9'],
    audio: ['aac', 'opus', 'pcm_s16le'],
    encoder: 'aac',
    lossless: ['flac'],
  },
  '.webm': { format: 'webm', video: ['vp9'], audio: ['opus'], encoder: 'libopus' },
};

export function containerOf(path: string): Container {
  const container = CONTAINERS[extname(path).toLowerCase()];
  if (container) return container;
  throw new UnderstudyError(
    ExitCode.output,
    `no container is known for the output ${path}`,
    `end its name in one of ${Object.keys(CONTAINERS).join(', ')}`,
  );
}

/**
 * The settings with the codec that the file gets. Asked before anything is started: ffmpeg only says so at the first picture.
 * @throws UnderstudyError(output|usage) when the container cannot carry the codec, or the codec has no such quality
 */
export function fittedTo<S extends EncoderSettings>(path: string, settings: S): S & { readonly codec: VideoCodec } {
  const { video } = containerOf(path);
  const codec = settings.codec === 'auto' ? video[0]! : settings.codec;
  if (!video.includes(codec))
    throw new UnderstudyError(
      ExitCode.output,
      `the output ${path} cannot carry ${codec}`,
      `choose --codec ${video.join(' or ')}, or another ending`,
    );
  if (settings.crf > MAX_CRF[codec])
    throw new UnderstudyError(
      ExitCode.usage,
      `the quality ${settings.crf} of ${path} is out of range`,
      `give --crf 0 to ${MAX_CRF[codec]} for ${codec}`,
    );
  return { ...settings, codec };
}

/** What ffmpeg makes of sound in this codec. */
export function soundEncoder({ audio, encoder, lossless = [] }: Container, codec: string): string {
  if (audio.includes(codec)) return 'copy';
  return lossless.includes(codec) ? codec : encoder;
}

/** @throws UnderstudyError(output) when this ffmpeg has no such encoder */
export function encoderArguments(
  tool: FfmpegTool,
  settings: EncoderSettings & { readonly codec: VideoCodec },
): string[] {
  const { codec, crf, preset, hardware } = settings;
  const name = hardware === 'none' ? SOFTWARE[codec] : `${HARDWARE_NAME[codec]}_${hardware}`;
  if (!tool.encoders.has(name)) {
    throw new UnderstudyError(
      ExitCode.output,
      `the encoder ${name} is not in ffmpeg ${tool.version}`,
      'choose another --codec or egress.hardware',
    );
  }
  if (hardware !== 'none') return ['-c:v', name, '-qp', String(crf)];
  if (codec === 'vp9')
    return ['-c:v', name, '-crf', String(crf), '-b:v', '0', '-deadline', 'realtime', '-cpu-used', '6', '-row-mt', '1'];
  const tag =
    codec === 'h265'
      ? ['-tag:v', 'hvc1', '-x265-params', 'log-level=error:info=0']
      : ['-bsf:v', 'filter_units=remove_types=6'];
  return ['-c:v', name, '-preset', preset, '-crf', String(crf), ...tag];
}

/** Tags the output with what the samples are. */
export function colourArguments(colour: ColourSpec): string[] {
  const [matrix, primaries, transfer] = {
    bt601: ['smpte170m', 'smpte170m', 'smpte170m'],
    bt709: ['bt709', 'bt709', 'bt709'],
    bt2020: ['bt2020nc', 'bt2020', 'bt2020-10'],
  }[colour.matrix] as [string, string, string];
  const range = colour.range === 'full' ? 'pc' : 'tv';
  return ['-colorspace', matrix, '-color_primaries', primaries, '-color_trc', transfer, '-color_range', range];
}

export function containerArguments(format: string): string[] {
  return [...(format === 'mp4' || format === 'mov' ? ['-movflags', '+faststart'] : []), '-f', format];
}
