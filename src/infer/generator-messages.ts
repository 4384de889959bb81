import type { TrackedFace } from '../core/face-track.ts';
import type { PictureFormat } from '../core/video-frame.ts';
import type { GeneratorOutcome } from './generator.ts';

export interface GeneratorWorkerData {
  readonly faceMemory: SharedArrayBuffer;
  readonly modelsDir?: string;
  readonly cacheDir?: string;
  readonly executionProviders: 'auto' | readonly string[];
  readonly precision: 'auto' | 'int8' | 'fp32';
  readonly detail: boolean;
}

export interface GeneratorRequest {
  readonly raw: SharedArrayBuffer;
  readonly format: PictureFormat;
  readonly face: TrackedFace;
  readonly slot: number;
  readonly z: Float32Array;
}

export interface GeneratorReady {
  readonly faceSize: number;
  /** Side of a face with detail; absent when there is no such network. */
  readonly detailSize?: number;
  readonly provider: string;
  readonly models: readonly string[];
  readonly warnings: readonly string[];
}

export type GeneratorReply = GeneratorOutcome[];
