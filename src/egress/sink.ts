import type { SealedFrame } from '../core/video-frame.ts';

/** One output. Accepts SealedFrames only; checks `SealedFrame.isSealed` at run time too. */
export interface Sink {
  /** Frames that it left out so far, where it may. */
  readonly dropped?: number;
  /** Whether a frame has got through so far, where that is not certain. */
  readonly delivered?: boolean;
  /** Resolves when the sink can take the next frame; the sink closes the frame when its last byte has been handed over. */
  write(frame: SealedFrame): Promise<void>;
  /** Completes the output under its final name. @param how early: the source was stopped before its end, perhaps before its first picture: there is no output then */
  finish(how?: { readonly early?: boolean }): Promise<void>;
  /** Stops and leaves nothing under the final name. */
  abort(): Promise<void>;
}
