import { ExitCode, UnderstudyError } from '../../core/errors.ts';
import { findFfmpeg, lastLine } from '../../core/ffmpeg.ts';
import { resolveHost, withoutCredentials } from '../../core/stream-address.ts';
import type { PictureFormat } from '../../core/video-frame.ts';
import { spawnLiveDecoder } from '../live/decoder-arguments.ts';
import { LiveSource, type OnSourceLost } from '../live/live-source.ts';

export interface RtspSourceOptions {
  readonly transport?: 'tcp' | 'udp';
  /** Size of the output; undefined: that of the first picture. */
  readonly canvas?: PictureFormat;
  /** Frames with the pipeline at once. */
  readonly inFlight?: number;
  readonly onSourceLost?: OnSourceLost;
  readonly openMs?: number;
  readonly stallMs?: number;
  readonly keepAudio?: boolean;
  readonly ffmpegPath?: string;
  readonly onWarning?: (sentence: string) => void;
}

/** @param url rtsp:// or rtsps://, with credentials if needed @throws UnderstudyError(input) before the first frame */
export async function openRtspSource(url: string, options: RtspSourceOptions = {}): Promise<LiveSource> {
  const tool = await findFfmpeg(options.ffmpegPath);
  const modern = tool.modern;
  const address = await resolveHost(url, ExitCode.input, !modern);
  const timeout = modern ? '-timeout' : '-stimeout';
  const input = {
    from: address,
    options: ['-rtsp_transport', options.transport ?? 'tcp', timeout, '10000000', '-analyzeduration', '2000000'],
  };
  return LiveSource.open(
    (canvas, audio, onLine) => spawnLiveDecoder(tool, input, canvas, audio, onLine),
    {
      inFlight: options.inFlight ?? 4,
      keepAudio: options.keepAudio ?? false,
      onSourceLost: options.onSourceLost ?? 'veil',
      stallMs: options.stallMs ?? 5000,
      openMs: options.openMs ?? 15_000,
      ...(options.canvas && { canvas: options.canvas }),
      ...(options.onWarning && { onWarning: options.onWarning }),
    },
    (log) => explain(url, log),
  );
}

function explain(url: string, log: string): UnderstudyError {
  const name = withoutCredentials(url);
  const say = (what: string, remedy: string) => new UnderstudyError(ExitCode.input, `${name} ${what}`, remedy);
  if (/Decoder \(codec \S+\) not found|Unknown decoder/i.test(log))
    return say('has a codec that this ffmpeg does not know', 'set the camera to H.264 or H.265');
  if (/401|unauthorized/i.test(log)) return say('refused the user name or password', 'check them in the URL');
  if (/404 |not found/i.test(log)) return say('has no such stream', 'check the path of the URL');
  if (/refused/i.test(log)) return say('refused the connection', 'check the port, and that the camera is on');
  if (/timed out|unreachable|no route/i.test(log)) return say('cannot be reached', 'check the address and the network');
  if (/matches no streams/i.test(log)) return say('has no video', 'choose a stream with a picture');
  if (!/\[(error|fatal)\]/.test(log)) return say('sent no picture in time', 'check that the camera is sending');
  return say(`could not be opened (${lastLine(log.replace(/\[(error|fatal)\] /g, ''))})`, 'check the URL with ffprobe');
}
