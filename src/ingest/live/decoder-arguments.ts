import { type FfmpegProcess, type FfmpegTool, ffmpegArguments, spawnFfmpeg } from '../../core/ffmpeg.ts';
import { NUT_OUTPUT } from '../../core/nut/constants.ts';
import type { PictureFormat } from '../../core/video-frame.ts';
import { fitFilters, SQUARE_PIXELS } from '../fit.ts';

/**
 * Arguments for a live decoder: no threads (they hold pictures back), no probing, rawvideo NUT out.
 * @param canvas pictures of another size are scaled into it and padded; without one they are squeezed into the first one's size: see DecoderLog
 */
export function liveDecoderArguments(
  tool: FfmpegTool,
  input: { readonly from: string; readonly options: readonly string[] },
  canvas: PictureFormat | undefined,
): string[] {
  const fit = canvas ? fitFilters(canvas, 'yuv420p') : ['format=yuv420p'];
  const watch = tool.modern ? 'showinfo=checksum=0' : 'showinfo';
  const command = {
    inputs: [{ from: input.from, options: ['-threads', '1', '-fpsprobesize', '0', ...input.options] }],
    output: 'pipe:1',
    options: [
      ...['-map', '0:v:0', '-vf', [watch, SQUARE_PIXELS, ...fit].join(','), '-vsync', '0'],
      // Rawvideo is "encoded" by threads too, which hold one picture back until the next comes.
      ...[
        '-threads',
        '1',
        '-enc_time_base',
        '1:1000000',
        '-c:v',
        'rawvideo',
        '-pix_fmt',
        'yuv420p',
        '-flush_packets',
        '1',
        ...NUT_OUTPUT,
      ],
    ],
  };
  // Levels in front of the lines tell errors apart; key pictures are told at level info.
  return ffmpegArguments(command, 'level+info');
}

/** Sound only, as it comes. The stream is named and not optional: without sound the process ends before its first picture. */
const AUDIO_OUTPUT = [
  // What MP4 has before the start is left out: NUT would move all sound so that it begins at zero.
  ...['-map', '0:a:0', '-c:a', 'copy', '-copypriorss:a', '0'],
  ...['-flush_packets', '1', ...NUT_OUTPUT, 'pipe:3'],
];

/** @param audio write the sound to `pipe:3` */
export function spawnLiveDecoder(
  tool: FfmpegTool,
  input: Parameters<typeof liveDecoderArguments>[1],
  canvas: PictureFormat | undefined,
  audio: boolean,
  onLine: (line: string) => void,
): FfmpegProcess {
  const args = liveDecoderArguments(tool, input, canvas);
  return spawnFfmpeg(tool, audio ? [...args, ...AUDIO_OUTPUT] : args, onLine, audio ? 1 : 0);
}
