import type { FfmpegTool } from '../ffmpeg.ts';
import type { AudioTrack } from './audio-track.ts';
import { type KnownCodec, knownCodec } from './codec.ts';
import { type AudioEncoding, TranscodedAudio } from './transcode.ts';

/** Sound in a codec that an output takes. */
export interface DeliveredAudio {
  readonly codec: KnownCodec;
  readonly track: AudioTrack;
  /** Ends the encoder when there is one; the source's track goes on. */
  close(): Promise<void>;
}

/** The source's own packets where the output carries them, else encoded anew; undefined when it cannot be. */
export async function deliverAudio(
  tool: FfmpegTool,
  track: AudioTrack,
  carries: readonly KnownCodec[],
  otherwise: AudioEncoding,
): Promise<DeliveredAudio | undefined> {
  const codec = knownCodec(track.format);
  if (codec && carries.includes(codec)) return { codec, track, close: () => Promise.resolve() };
  const encoded = await TranscodedAudio.open(tool, track, otherwise);
  const made = encoded?.track && knownCodec(encoded.track.format);
  if (!encoded?.track || !made) return undefined;
  return { codec: made, track: encoded.track, close: () => encoded.close() };
}
