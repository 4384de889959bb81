import type { PeerOptions } from '../core/webrtc/peer.ts';
import type { Sink } from '../egress/sink.ts';
import type { ViewerHubOptions } from '../egress/webrtc/viewer-hub.ts';
import type { CountedSource } from './stream-counters.ts';
import type { StreamStats } from './stream-stats.ts';

/** Anonymizes one source into one sink until either ends: the pipeline, as the server sees it. */
export type RunPipeline = (options: {
  readonly name: string;
  readonly streamId: number;
  readonly source: CountedSource;
  readonly sink: Sink;
  readonly stop: AbortSignal;
  readonly stats: StreamStats;
  /** Whether large faces are to be drawn in detail now. */
  readonly detail: () => boolean;
  /** Nothing of it goes to further outputs and recordings. */
  readonly viewersOnly?: boolean;
}) => Promise<void>;

export interface LiveStreamOptions extends ViewerHubOptions {
  readonly peer: PeerOptions;
  /** Frames with the pipeline at once. */
  readonly inFlight: number;
  /** Pass the source's sound on; false: silence. */
  readonly passAudio: boolean;
  readonly stats: StreamStats;
  readonly canvas?: { readonly width: number; readonly height: number };
  readonly log: (event: string, detail?: Record<string, unknown>) => void;
}
