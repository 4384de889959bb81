import { extname } from 'node:path';
import { ffmpegArguments, findFfmpeg } from '../../core/ffmpeg.ts';
import type { PictureFormat } from '../../core/video-frame.ts';
import type { Sink } from '../sink.ts';
import { EncodedFile } from './encoded-file.ts';
import { checkOutput, outputError } from './output-path.ts';

/** Encoder by extension. The samples of a still picture are BT.601 full range: JPEG takes them as they are. */
const ENCODERS: Record<string, { encoder: string; options: readonly string[] }> = {
  '.jpg': { encoder: 'mjpeg', options: ['-pix_fmt', 'yuvj420p', '-q:v', '2'] },
  '.png': { encoder: 'png', options: ['-pix_fmt', 'rgb24'] },
  '.webp': { encoder: 'libwebp', options: ['-pix_fmt', 'yuv420p', '-quality', '92'] },
};
ENCODERS['.jpeg'] = ENCODERS['.jpg']!;

/** True when the name says that one picture is meant. */
export const isStillName = (path: string): boolean => extname(path).toLowerCase() in ENCODERS;

/** A picture file of one SealedFrame. Nothing but its pixels gets into it: no EXIF, thumbnail, profile or comment. */
export async function openStillSink(
  path: string,
  options: { readonly format: PictureFormat; readonly inputPath?: string; readonly ffmpegPath?: string },
): Promise<Sink> {
  const chosen = ENCODERS[extname(path).toLowerCase()];
  if (!chosen) {
    throw outputError(
      `the output of a picture cannot be ${path}`,
      `end its name in one of ${Object.keys(ENCODERS).join(', ')}`,
    );
  }
  checkOutput(path, options.inputPath);
  const tool = await findFfmpeg(options.ffmpegPath);
  if (!tool.encoders.has(chosen.encoder)) {
    throw outputError(`ffmpeg ${tool.version} has no encoder ${chosen.encoder} for ${path}`, 'choose .jpg or .png');
  }
  const range = extname(path).toLowerCase() === '.webp' ? 'limited' : 'full';
  const filter = `scale=in_color_matrix=bt601:in_range=full:out_color_matrix=bt601:out_range=${range}`;
  return new EncodedFile(tool, path, {
    format: options.format,
    arguments: (temporary) =>
      ffmpegArguments({
        inputs: [{ from: 'pipe:0', options: ['-f', 'nut'] }],
        output: temporary,
        options: [
          ...['-map', '0:v:0', '-frames:v', '1', '-y', '-vf', filter, '-c:v', chosen.encoder, ...chosen.options],
          ...['-map_metadata', '-1', '-fflags', '+bitexact', '-flags:v', '+bitexact', '-f', 'image2pipe'],
        ],
      }),
  });
}
