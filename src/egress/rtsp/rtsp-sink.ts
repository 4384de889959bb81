import { ExitCode } from '../../core/errors.ts';
import { resolveHost } from '../../core/stream-address.ts';
import { type LiveOutputOptions, lowDelayH264, openLiveSink } from '../live/live-encoder.ts';
import type { LiveSink } from '../live/live-sink.ts';

/** Publishes by ANNOUNCE and RECORD to a server such as MediaMTX. @throws UnderstudyError(output) for a host that is unknown */
export function openRtspSink(
  url: string,
  options: LiveOutputOptions & { readonly transport?: 'tcp' | 'udp' } = {},
): Promise<LiveSink> {
  return openLiveSink(async (tool) => {
    const modern = tool.modern;
    const address = await resolveHost(url, ExitCode.output, !modern);
    return {
      to: address,
      carries: ['aac', 'alaw', 'mulaw', 'opus'],
      options: [
        ...lowDelayH264(tool, options),
        // Else AAC is collected for 0.7 s before it is sent.
        ...['-muxdelay', '0', '-f', 'rtsp', '-rtsp_transport', options.transport ?? 'tcp'],
      ],
    };
  }, options);
}
