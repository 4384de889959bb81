import { ExitCode, UnderstudyError } from '../../core/errors.ts';
import { hasProtocol } from '../../core/ffmpeg.ts';
import { resolveHost } from '../../core/stream-address.ts';
import { type LiveOutputOptions, lowDelayH264, openLiveSink } from '../live/live-encoder.ts';
import type { LiveSink } from '../live/live-sink.ts';

/** H.264 in MPEG-TS to `udp://host:port`, and to `srt://` where this ffmpeg has it. */
export function openTransportStreamSink(url: string, options: LiveOutputOptions = {}): Promise<LiveSink> {
  return openLiveSink(async (tool) => {
    const modern = tool.modern;
    if (url.startsWith('srt:') && !(await hasProtocol(tool, 'srt', 'output'))) {
      throw new UnderstudyError(
        ExitCode.output,
        `ffmpeg ${tool.version} has no SRT`,
        'install the ffmpeg package of your system, or send to udp://',
      );
    }
    const address = await resolveHost(url, ExitCode.output, !modern);
    const packets =
      url.startsWith('udp:') && !address.includes('pkt_size')
        ? `${address.includes('?') ? '&' : '?'}pkt_size=1316`
        : '';
    return {
      to: address + packets,
      carries: ['aac'],
      options: [...lowDelayH264(tool, options), '-f', 'mpegts'],
    };
  }, options);
}
