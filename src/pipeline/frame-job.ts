import type { TrackedFace } from '../core/face-track.ts';
import type { RawFrame, VeilReason } from '../core/video-frame.ts';

/** A frame on its way from ingest to egress: the handle that flows through the RxJS stream. Pixels stay in `raw.slot`. */
export interface FrameJob {
  readonly raw: RawFrame;
  /** Mutable: a face found later may be searched back into a frame that is still held. */
  faces: TrackedFace[];
  /** Set as soon as the frame may no longer be shown; never taken back. */
  veil?: VeilReason;
  /** When it left the look-ahead, by `performance.now()`. */
  releasedMs?: number;
}
