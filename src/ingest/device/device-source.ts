import { existsSync } from 'node:fs';
import { ExitCode, UnderstudyError } from '../../core/errors.ts';
import { findFfmpeg, lastLine } from '../../core/ffmpeg.ts';
import type { PictureFormat } from '../../core/video-frame.ts';
import { spawnLiveDecoder } from '../live/decoder-arguments.ts';
import { LiveSource, type OnSourceLost } from '../live/live-source.ts';

export interface DeviceSourceOptions {
  readonly width?: number;
  readonly height?: number;
  readonly frameRate?: number;
  readonly canvas?: PictureFormat;
  readonly inFlight?: number;
  readonly onSourceLost?: OnSourceLost;
  readonly keepAudio?: boolean;
  readonly ffmpegPath?: string;
  readonly onWarning?: (sentence: string) => void;
}

const FORMATS: Partial<Record<NodeJS.Platform, string>> = { linux: 'v4l2', darwin: 'avfoundation', win32: 'dshow' };

/** A camera by ffmpeg's own name: `/dev/video0`, avfoundation's `0` or `FaceTime HD Camera`, dshow's `video=…`. */
export async function openDeviceSource(name: string, options: DeviceSourceOptions = {}): Promise<LiveSource> {
  const format = FORMATS[process.platform];
  if (!format) {
    throw new UnderstudyError(
      ExitCode.input,
      `cameras are not supported on ${process.platform}`,
      'use an RTSP or WebRTC source',
    );
  }
  if (format === 'v4l2' && !existsSync(name)) {
    throw new UnderstudyError(
      ExitCode.input,
      `the device ${name} does not exist`,
      'list the cameras with `v4l2-ctl --list-devices`',
    );
  }
  const tool = await findFfmpeg(options.ffmpegPath);
  const size = options.width && options.height ? ['-video_size', `${options.width}x${options.height}`] : [];
  const rate = options.frameRate ? ['-framerate', String(options.frameRate)] : [];
  const input = { from: name, options: ['-f', format, ...size, ...rate] };
  return LiveSource.open(
    (canvas, audio, onLine) => spawnLiveDecoder(tool, input, canvas, audio, onLine),
    {
      inFlight: options.inFlight ?? 4,
      // v4l2 has no sound; elsewhere a name tells the microphone beside the camera (`0:0`, `video=…:audio=…`).
      keepAudio: (options.keepAudio ?? false) && format !== 'v4l2' && name.includes(':'),
      onSourceLost: options.onSourceLost ?? 'veil',
      stallMs: 5000,
      openMs: 10_000,
      ...(options.canvas && { canvas: options.canvas }),
      ...(options.onWarning && { onWarning: options.onWarning }),
    },
    (log) => explain(name, log),
  );
}

function explain(name: string, log: string): UnderstudyError {
  const say = (what: string, remedy: string) =>
    new UnderstudyError(ExitCode.input, `the device ${name} ${what}`, remedy);
  if (/busy/i.test(log)) return say('is in use', 'close the other program that has the camera open');
  if (/permission/i.test(log)) return say('may not be opened', 'join the group `video`, or grant camera access');
  return say(
    `gave no picture (${lastLine(log.replace(/\[(error|fatal)\] /g, ''))})`,
    'try another size or frame rate, and check the name',
  );
}
