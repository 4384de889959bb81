import type { TrackedFace } from '../core/face-track.ts';
import type { PictureFormat } from '../core/video-frame.ts';
import type { Judgement } from '../guard/reidentification-gate.ts';

/** Handed to the analysis worker when it starts. */
export interface AnalysisWorkerData {
  readonly modelsDir?: string;
  readonly cacheDir?: string;
  readonly executionProviders: 'auto' | readonly string[];
  readonly sessionKey: Uint8Array;
  /** Faces between generator and compositor (core/face-slot). */
  readonly faceMemory: SharedArrayBuffer;
  readonly live: boolean;
  readonly track: Record<string, unknown>;
  /** Name of the channel on which helpers of the face detector listen (infer/shared-detector). */
  readonly detectorChannel: string;
  /** Counts starts of the worker, so that a restarted one never gives an old FaceTrack's number to a new face. */
  readonly epoch: SharedArrayBuffer;
}

interface At {
  readonly streamId: number;
  /** Another number says that the stream has begun anew, though the end of the one before may never have been heard of. */
  readonly run: number;
  readonly memory: SharedArrayBuffer;
  readonly format: PictureFormat;
  readonly sequence: number;
  readonly timestampUs: number;
}

export type AnalysisRequest =
  | ({ readonly kind: 'analyse'; readonly damaged: boolean; readonly still: boolean } & At)
  | ({ readonly kind: 'search-back'; readonly trackId: number } & At)
  | {
      /** Whether the generated face in a slot may stand in for the person. */
      readonly kind: 'judge';
      readonly streamId: number;
      readonly personId: number;
      readonly faceSlot: number;
      readonly faceSize: number;
      readonly driven: Float32Array;
      /** How alike it may be: nothing else is asked of a face that is more so. */
      readonly limit: number;
    }
  | { readonly kind: 'end-stream'; readonly streamId: number; readonly run: number };

export interface Analysed {
  readonly faces: TrackedFace[];
  /** FaceTracks seen for the first time on this frame. */
  readonly started: number[];
  readonly ended: number[];
  /** Another number says that this analysis knows nothing of what was seen in the stream before. */
  readonly life: number;
  readonly timingsUs: { readonly detect: number; readonly landmarks: number };
}

/** `judge` answers undefined for somebody who was never embedded. */
export type AnalysisReply = Analysed | TrackedFace | 'scene-cut' | Judgement | undefined;
