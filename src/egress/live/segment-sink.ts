import { accessSync, constants, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { ExitCode, UnderstudyError } from '../../core/errors.ts';
import { type LiveOutputOptions, lowDelayH264, openLiveSink } from './live-encoder.ts';
import type { LiveSink } from './live-sink.ts';

/** Records into files named by their first moment (local time), each complete on its own: a crash costs one fragment. */
export function openSegmentSink(
  folder: string,
  options: LiveOutputOptions & { readonly name: string; readonly segmentS: number },
): Promise<LiveSink> {
  try {
    mkdirSync(folder, { recursive: true });
    accessSync(folder, constants.W_OK);
  } catch {
    throw new UnderstudyError(
      ExitCode.output,
      `the recording folder ${folder} is not writable`,
      'make it, or change its permissions',
    );
  }
  return openLiveSink(
    (tool) => ({
      to: join(folder, `${options.name}-%Y%m%d-%H%M%S.mp4`),
      carries: ['aac', 'opus'],
      options: [
        ...lowDelayH264(tool, options),
        ...['-f', 'segment', '-segment_time', String(options.segmentS), '-strftime', '1', '-reset_timestamps', '1'],
        ...['-segment_format', 'mp4', '-segment_format_options', 'movflags=+frag_keyframe+empty_moov'],
        ...['-map_metadata', '-1', '-fflags', '+bitexact'],
      ],
    }),
    options,
  );
}
