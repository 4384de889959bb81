import { execFile } from 'node:child_process';
import { accessSync, constants, statSync } from 'node:fs';
import { promisify } from 'node:util';
import { ExitCode, UnderstudyError } from '../../core/errors.ts';
import { type FfmpegTool, lastLine } from '../../core/ffmpeg.ts';
import type { ColourSpec } from '../../core/video-frame.ts';

export interface FileProbe {
  /** Size as shown: rotation metadata applied. */
  readonly width: number;
  readonly height: number;
  readonly codec: string;
  readonly frameRate?: number;
  readonly durationUs?: number;
  /** Earliest time stamp of any stream; most files begin at 0. */
  readonly startUs: number;
  /** Width over height of a pixel as shown, `16:15`; absent when square. */
  readonly pixelAspect?: string;
  readonly frameCount?: number;
  readonly hasAudio: boolean;
  readonly audioCodec?: string;
  readonly colour: ColourSpec;
  /** PQ or HLG: has to be tone-mapped to 8 bits. */
  readonly highDynamicRange: boolean;
  readonly interlaced: boolean;
}

interface ProbedStream {
  codec_type: string;
  codec_name?: string;
  width?: number;
  height?: number;
  avg_frame_rate?: string;
  nb_frames?: string;
  duration?: string;
  color_space?: string;
  color_range?: string;
  color_transfer?: string;
  pix_fmt?: string;
  sample_aspect_ratio?: string;
  field_order?: string;
  disposition?: { attached_pic?: number };
  side_data_list?: { rotation?: number }[];
}

/** Checks that the path can be read at all, with a sentence for each way it cannot. */
export function checkReadable(path: string): void {
  let size: number;
  try {
    const stat = statSync(path);
    if (stat.isDirectory())
      throw inputError(`${path} is a folder`, 'name a file in it, or give a folder of pictures to a folder');
    size = stat.isFile() ? stat.size : 1;
    accessSync(path, constants.R_OK);
  } catch (error) {
    if (error instanceof UnderstudyError) throw error;
    const missing = (error as NodeJS.ErrnoException).code === 'ENOENT';
    throw missing
      ? inputError(`${path} does not exist`, 'check the name of the input')
      : inputError(`${path} cannot be read`, 'check its permissions');
  }
  if (size === 0) throw inputError(`${path} is empty (0 bytes)`, 'copy or record it again');
}

export function inputError(message: string, remedy: string): UnderstudyError {
  return new UnderstudyError(ExitCode.input, message, remedy);
}

/** @param demuxer what to read it as, instead of what ffmpeg takes it for
 * @throws UnderstudyError(input) when there is no video in it */
export async function probeFile(tool: FfmpegTool, path: string, demuxer?: string): Promise<FileProbe> {
  checkReadable(path);
  if (!tool.probePath) {
    throw new UnderstudyError(
      ExitCode.tool,
      `ffprobe is missing beside ${tool.path}`,
      'install the ffmpeg package (it brings ffprobe)',
    );
  }
  const as = demuxer ? ['-f', demuxer] : [];
  const args = ['-v', 'error', ...as, '-of', 'json', '-show_streams', '-show_format', `file:${path}`];
  const out = await promisify(execFile)(tool.probePath, args, { maxBuffer: 1 << 26 }).catch((error) => {
    throw inputError(
      `${path} is not a ${demuxer ? 'picture' : 'video'} that ffmpeg can read (${lastLine(String(error.stderr ?? ''))})`,
      'check the file with ffprobe',
    );
  });
  const { streams = [], format = {} } = JSON.parse(out.stdout) as {
    streams?: ProbedStream[];
    format?: { duration?: string; start_time?: string };
  };
  const video = streams.find((s) => s.codec_type === 'video' && !s.disposition?.attached_pic);
  const audio = streams.find((s) => s.codec_type === 'audio');
  if (!video?.width || !video.height) {
    throw inputError(`${path} has no video stream${audio ? ', only sound' : ''}`, 'give a file with a picture');
  }
  const turned = Math.abs(video.side_data_list?.find((s) => s.rotation !== undefined)?.rotation ?? 0) % 180 === 90;
  const [width, height] = turned ? [video.height, video.width] : [video.width, video.height];
  const [num, den] = (video.avg_frame_rate ?? '0/0').split('/').map(Number) as [number, number];
  const seconds = Number(video.duration ?? format.duration);
  const frameRate = num > 0 && den > 0 ? num / den : undefined;
  const durationUs = seconds > 0 ? Math.round(seconds * 1e6) : undefined;
  const counted = Number(video.nb_frames) || (frameRate && seconds > 0 ? Math.round(frameRate * seconds) : undefined);
  return {
    width,
    height,
    codec: video.codec_name ?? 'unknown',
    ...(frameRate && { frameRate }),
    ...(durationUs && { durationUs }),
    startUs: Math.round((Number(format.start_time) || 0) * 1e6),
    ...pixelAspect(video.sample_aspect_ratio, turned),
    ...(counted && { frameCount: counted }),
    hasAudio: audio !== undefined,
    ...(audio?.codec_name && { audioCodec: audio.codec_name }),
    colour: colourOf(video, height),
    highDynamicRange: video.color_transfer === 'smpte2084' || video.color_transfer === 'arib-std-b67',
    interlaced: ['tt', 'bb', 'tb', 'bt'].includes(video.field_order ?? ''),
  };
}

function pixelAspect(ratio: string | undefined, turned: boolean): { pixelAspect?: string } {
  const [a = 0, b = 0] = (ratio ?? '').split(':').map(Number);
  if (!(a > 0 && b > 0) || a === b) return {};
  return { pixelAspect: turned ? `${b}:${a}` : `${a}:${b}` };
}

function colourOf(video: ProbedStream, height: number): ColourSpec {
  const space = video.color_space ?? '';
  const matrix = space.startsWith('bt2020')
    ? 'bt2020'
    : space === 'bt709'
      ? 'bt709'
      : ['smpte170m', 'bt470bg', 'fcc'].includes(space)
        ? 'bt601'
        : height >= 720
          ? 'bt709'
          : 'bt601';
  return { matrix, range: video.color_range === 'pc' || video.pix_fmt?.startsWith('yuvj') ? 'full' : 'limited' };
}
