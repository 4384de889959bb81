import { ffmpegArguments, findFfmpeg } from '../../core/ffmpeg.ts';
import type { PictureFormat } from '../../core/video-frame.ts';
import type { Sink } from '../sink.ts';
import { EncodedFile } from './encoded-file.ts';
import { colourArguments, containerOf, type EncoderSettings, encoderArguments } from './encoder-options.ts';
import { checkOutput } from './output-path.ts';

export interface FileSinkOptions extends EncoderSettings {
  readonly format: PictureFormat;
  /** The recording whose sound is copied; undefined drops it. */
  readonly audioFrom?: {
    readonly path: string;
    readonly codec: string;
    readonly startS?: number;
    readonly durationS?: number;
  };
  readonly ffmpegPath?: string;
}

export async function openFileSink(path: string, options: FileSinkOptions): Promise<Sink> {
  checkOutput(path, options.audioFrom?.path);
  const tool = await findFfmpeg(options.ffmpegPath);
  const container = containerOf(path);
  const { audioFrom, format } = options;
  const seek = [
    ...(audioFrom?.startS ? ['-ss', String(audioFrom.startS)] : []),
    ...(audioFrom?.durationS ? ['-t', String(audioFrom.durationS)] : []),
  ];
  const audio = audioFrom && {
    input: { from: `file:${audioFrom.path}`, options: ['-copyts', ...seek] },
    arguments: ['-map', '1:a:0', '-c:a', container.audio.includes(audioFrom.codec) ? 'copy' : container.encoder],
  };
  return new EncodedFile(tool, path, {
    format,
    arguments: (temporary) =>
      ffmpegArguments({
        inputs: [{ from: 'pipe:0', options: ['-f', 'nut'] }, ...(audio ? [audio.input] : [])],
        output: temporary,
        options: [
          ...[
            '-map',
            '0:v:0',
            ...(audio?.arguments ?? []),
            '-y',
            '-copyts',
            '-vsync',
            '0',
            '-enc_time_base',
            '1:90000',
          ],
          ...[...encoderArguments(tool, options), '-pix_fmt', 'yuv420p', ...colourArguments(format.colour)],
          ...[
            '-map_metadata',
            '-1',
            '-map_chapters',
            '-1',
            '-sn',
            '-dn',
            '-fflags',
            '+bitexact',
            '-flags:v',
            '+bitexact',
          ],
          ...(container.format === 'mp4' || container.format === 'mov' ? ['-movflags', '+faststart'] : []),
          ...['-f', container.format],
        ],
      }),
  });
}
