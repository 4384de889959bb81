import type { Detection } from '../core/face-track.ts';
import type { PictureFormat } from '../core/video-frame.ts';
import type { DetectorWindow } from '../core/vision.ts';

/** Handed to a helper of the face detector when it starts. */
export interface DetectorWorkerData {
  readonly modelsDir?: string;
  readonly cacheDir?: string;
  readonly executionProviders: 'auto' | readonly string[];
  /** Name of the BroadcastChannel on which it is asked: it outlives whoever asks, and a helper that is started again. */
  readonly channel: string;
}

/** A picture's windows, told to all helpers. Each takes the next one that nobody has taken, until there is none. */
export interface LookRequest {
  readonly kind: 'look';
  readonly id: number;
  readonly planes: SharedArrayBuffer;
  readonly format: PictureFormat;
  readonly windows: readonly DetectorWindow[];
  readonly minScore: number;
  /** One Int32: the next window. */
  readonly next: SharedArrayBuffer;
}

/** A helper's answer, also when it took no window. What it had taken and does not tell of was not looked at. */
export interface LookReply {
  readonly kind: 'looked';
  readonly id: number;
  readonly from: string;
  readonly found: readonly (readonly [window: number, detections: Detection[]])[];
}

export type LookMessage =
  | LookRequest
  | LookReply
  /** Asked by whoever begins to look; answered by each helper, and said by one that has started. */
  | { readonly kind: 'who' }
  | { readonly kind: 'here'; readonly from: string };
