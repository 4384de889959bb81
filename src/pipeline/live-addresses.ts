import { existsSync } from 'node:fs';
import type { LiveSettings } from '../config/live-schema.ts';
import type { AudioTrack } from '../core/audio/audio-track.ts';
import { ExitCode, UnderstudyError } from '../core/errors.ts';
import { schemeOf, withoutCredentials } from '../core/stream-address.ts';
import { openV4l2Sink } from '../egress/device/v4l2-sink.ts';
import { openRtspSink } from '../egress/rtsp/rtsp-sink.ts';
import { openTransportStreamSink } from '../egress/rtsp/udp-sink.ts';
import type { Sink } from '../egress/sink.ts';
import { openDeviceSource } from '../ingest/device/device-source.ts';
import type { LiveSource } from '../ingest/live/live-source.ts';
import { openPacedFileSource } from '../ingest/live/paced-file-source.ts';
import { openRtspSource } from '../ingest/rtsp/rtsp-source.ts';

export interface LiveAddressOptions {
  readonly live: LiveSettings;
  readonly ffmpegPath?: string;
  /** Pass the source's sound on. */
  readonly keepAudio: boolean;
  readonly onWarning: (sentence: string) => void;
}

/**
 * Frames in the stages at once: analysed, generated, composed. One more would only wait, and be that much older when it leaves.
 * The look-ahead comes on top.
 */
const FRAMES_UNDER_WAY = 3;

export const framesInFlight = (live: Pick<LiveSettings, 'lookaheadFrames'>): number =>
  FRAMES_UNDER_WAY + live.lookaheadFrames;

/** rtsp(s)://…, device:NAME, or a file played at its own speed. @throws UnderstudyError(input) */
export function openLiveSource(
  address: string,
  options: LiveAddressOptions & { readonly loop: boolean },
): Promise<LiveSource> {
  const { live, onWarning } = options;
  const shared = {
    inFlight: framesInFlight(live),
    keepAudio: options.keepAudio,
    onSourceLost: live.onSourceLost,
    openMs: live.openMs,
    stallMs: live.stallMs,
    onWarning,
    ...(options.ffmpegPath && { ffmpegPath: options.ffmpegPath }),
  };
  const [width, height] = live.deviceSize.split('x').map(Number);
  const size = width && height ? { width, height } : {};
  switch (schemeOf(address)) {
    case 'rtsp':
    case 'rtsps':
      return openRtspSource(address, { ...shared, transport: live.transport });
    case 'device':
    case 'v4l2': {
      const name = address.slice(address.indexOf(':') + 1);
      return openDeviceSource(name, {
        ...shared,
        ...size,
        ...(live.deviceFrameRate > 0 && { frameRate: live.deviceFrameRate }),
      });
    }
    default:
      if (/:\/\//.test(address) && !existsSync(address))
        throw unknownScheme(ExitCode.input, address, 'rtsp://, device:');
      return openPacedFileSource(address, { ...shared, loop: options.loop });
  }
}

/** rtsp(s)://…, udp://…, srt://… or v4l2:DEVICE. @param audio the source's sound @throws UnderstudyError(output) */
export function openLiveSink(address: string, options: LiveAddressOptions, audio?: AudioTrack): Promise<Sink> {
  const { live, onWarning } = options;
  const shared = {
    audio,
    bitrateKbps: live.bitrateKbps,
    keyIntervalS: live.keyIntervalS,
    stallMs: live.stallMs,
    onWarning,
    ...(options.ffmpegPath && { ffmpegPath: options.ffmpegPath }),
  };
  switch (schemeOf(address)) {
    case 'rtsp':
    case 'rtsps':
      return openRtspSink(address, { ...shared, transport: live.transport });
    case 'udp':
    case 'srt':
      return openTransportStreamSink(address, shared);
    case 'v4l2':
    case 'device':
      return openV4l2Sink(address.slice(address.indexOf(':') + 1), shared);
    default:
      throw unknownScheme(ExitCode.output, address, 'rtsp://, udp://, srt://, v4l2:');
  }
}

function unknownScheme(code: typeof ExitCode.input | typeof ExitCode.output, address: string, known: string) {
  return new UnderstudyError(
    code,
    `${withoutCredentials(address)} is of a kind that is not known`,
    `use ${known} or a file`,
  );
}
