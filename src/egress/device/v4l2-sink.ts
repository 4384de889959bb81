import { existsSync } from 'node:fs';
import { ExitCode, UnderstudyError } from '../../core/errors.ts';
import { openLiveSink } from '../live/live-encoder.ts';
import type { LiveSink } from '../live/live-sink.ts';

/** A virtual camera made by the v4l2loopback module, `/dev/video10` for example. Linux only. */
export function openV4l2Sink(
  device: string,
  options: { readonly ffmpegPath?: string; readonly onWarning?: (sentence: string) => void } = {},
): Promise<LiveSink> {
  if (process.platform !== 'linux') {
    throw new UnderstudyError(
      ExitCode.output,
      `a virtual camera is not supported on ${process.platform}`,
      'read the RTSP or WHEP output with OBS and start its virtual camera',
    );
  }
  if (!existsSync(device)) {
    throw new UnderstudyError(
      ExitCode.output,
      `the virtual camera ${device} does not exist`,
      'load the module: `modprobe v4l2loopback video_nr=10 card_label=Understudy exclusive_caps=1`',
    );
  }
  return openLiveSink(
    () => ({ to: device, options: ['-c:v', 'rawvideo', '-pix_fmt', 'yuv420p', '-f', 'v4l2'] }),
    options,
  );
}
