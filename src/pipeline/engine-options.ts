import { ExitCode, UnderstudyError } from '../core/errors.ts';
import { WorkerDied } from '../core/worker-errors.ts';
import type { CompositorOptions } from '../gpu-post/compositor.ts';

/** What the analysis worker loads, in all modes. */
export const ANALYSIS_MODELS = ['face-detector', 'face-landmarks', 'iris', 'face-recognizer', 'shape-68'] as const;

/** A worker that takes this long is hung. Live, viewers get veiled frames (or covered faces) from two seconds on. */
export const PATIENCE = {
  live: { lateMs: 2000, timeoutMs: 10_000, impatient: true },
  recording: { timeoutMs: 30_000 },
};

export interface EngineOptions {
  readonly mode: CompositorOptions['mode'];
  readonly photometry: CompositorOptions['photometry'];
  readonly sessionKey: Uint8Array;
  readonly live: boolean;
  readonly track: Record<string, unknown>;
  readonly infer: {
    readonly executionProviders: 'auto' | readonly string[];
    readonly precision: 'auto' | 'int8' | 'fp32';
    readonly detail: boolean;
    readonly maxBatchSize: number;
    readonly maxQueueDelayMs: number;
    readonly truncation: number;
    readonly detectorThreads: 'auto' | number;
  };
  /** Still pictures only. */
  readonly still?: boolean;
  readonly modelsDir?: string;
  readonly cacheDir?: string;
  readonly onWarning?: (sentence: string) => void;
}

export interface GenerateOptions {
  /** False: live, where nobody waits for a slot or a worker that is being started again. */
  readonly wait: boolean;
  readonly still?: boolean;
  /** False: large faces are drawn as small ones are. */
  readonly detail?: boolean;
}

/** A worker that died before it could say anything was most likely missing the library it loads first. */
export function startFailure(error: unknown): unknown {
  if (!(error instanceof WorkerDied) || !/onnxruntime|shared object|\.node\b|\.so\b/i.test(error.message)) return error;
  return new UnderstudyError(
    ExitCode.tool,
    `ONNX Runtime could not be loaded (${error.message.split('\n')[0]})`,
    'run npm ci again on this machine, and understudy doctor',
    { cause: error },
  );
}
