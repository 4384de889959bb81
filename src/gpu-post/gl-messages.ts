import type { Cover, TrackedFace } from '../core/face-track.ts';
import type { PictureFormat } from '../core/video-frame.ts';
import type { PhotometryOptions } from './photometry-options.ts';

export interface GlWorkerData {
  readonly faceMemory: SharedArrayBuffer;
  readonly faceSize: number;
  readonly photometry: PhotometryOptions;
}

export type GlRequest =
  | {
      readonly kind: 'compose';
      readonly streamId: number;
      readonly raw: SharedArrayBuffer;
      readonly sealed: SharedArrayBuffer;
      readonly format: PictureFormat;
      readonly timestampUs: number;
      readonly faces: readonly TrackedFace[];
    }
  | { readonly kind: 'end-tracks'; readonly streamId: number; readonly trackIds: readonly number[] }
  /** Fault drill: the context goes away as after a reset of the driver. */
  | { readonly kind: 'drop-context' };

export interface DrawnCover {
  readonly trackId: number;
  readonly cover: Cover;
}
