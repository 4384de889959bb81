import { statSync } from 'node:fs';
import { ExitCode, UnderstudyError } from '../../core/errors.ts';
import { findFfmpeg, lastLine } from '../../core/ffmpeg.ts';
import { probeFile } from '../file/probe.ts';
import { squared } from '../fit.ts';
import { spawnLiveDecoder } from './decoder-arguments.ts';
import { formatOf, LiveSource } from './live-source.ts';

export interface PacedFileOptions {
  readonly inFlight?: number;
  /** Begin again at its end, for ever. */
  readonly loop: boolean;
  readonly keepAudio?: boolean;
  readonly ffmpegPath?: string;
  readonly onWarning?: (sentence: string) => void;
}

/** A recording played at its own speed, as if it were a camera. @throws UnderstudyError(input) */
export async function openPacedFileSource(path: string, options: PacedFileOptions): Promise<LiveSource> {
  if (!statSync(path, { throwIfNoEntry: false })?.isFile()) {
    throw new UnderstudyError(ExitCode.input, `${path} does not exist`, 'check the name of the recording');
  }
  const tool = await findFfmpeg(options.ffmpegPath);
  // Without an ffprobe the first picture's size counts, and a change of it opens the file again.
  const size = tool.probePath ? squared(await probeFile(tool, path)).probe : undefined;
  const input = { from: `file:${path}`, options: ['-re', ...(options.loop ? ['-stream_loop', '-1'] : [])] };
  return LiveSource.open(
    (canvas, audio, onLine) => spawnLiveDecoder(tool, input, canvas, audio, onLine),
    {
      inFlight: options.inFlight ?? 4,
      keepAudio: options.keepAudio ?? false,
      onSourceLost: options.loop ? 'veil' : 'complete',
      stallMs: 10_000,
      openMs: 15_000,
      ...(size && { canvas: formatOf(size) }),
      ...(options.onWarning && { onWarning: options.onWarning }),
    },
    (log) =>
      new UnderstudyError(
        ExitCode.input,
        `${path} is not a video (${lastLine(log.replace(/\[(error|fatal)\] /g, ''))})`,
        'check it with ffprobe',
      ),
  );
}
