import type { Observable } from 'rxjs';
import type { AudioTrack } from '../core/audio/audio-track.ts';
import type { PictureFormat, RawFrame } from '../core/video-frame.ts';

/** What is known about an input before its first frame. */
export interface SourceInfo {
  /** Planes after rotation metadata has been applied: what the frames will have. */
  readonly format: PictureFormat;
  /** Average frames per second; undefined when the input does not say (still pictures, some streams). */
  readonly frameRate?: number;
  /** Expected number of frames, for a progress percentage only. */
  readonly frameCount?: number;
  readonly durationUs?: number;
  readonly hasAudio: boolean;
}

/** One input. Frames are bounded by the pool they are decoded into: a source waits for a free slot, never drops. */
export interface Source {
  readonly info: SourceInfo;
  /**
   * Cold, single subscription, in presentation order. A source marks frames that it learns to be damaged, also after
   * they were emitted (`RawFrame.damaged`): look again before composing and before one leaves. Errors with an UnderstudyError after the last good frame.
   */
  readonly frames: Observable<RawFrame>;
  /** Sound of a live source, with time stamps on the clock of the frames. */
  readonly audio?: AudioTrack | undefined;
  /** Now on the clock of the frames' time stamps, microseconds: a frame's age is the difference. Live sources only. */
  readonly elapsedUs?: number;
  /** Decoder errors so far. */
  readonly decodeErrors: number;
  close(): Promise<void>;
}
