import '../core/no-telemetry.ts';
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import * as ort from 'onnxruntime-node';
import { ExitCode, UnderstudyError } from '../core/errors.ts';

export interface SessionOptions {
  readonly executionProviders?: 'auto' | readonly string[];
  readonly onWarning?: (sentence: string) => void;
}

/** In order of preference; TensorRT before plain CUDA. */
const PREFERRED = ['tensorrt', 'cuda', 'coreml', 'dml'];

/** Providers to try, from what this build of ONNX Runtime has; the CPU always last. */
export function providersFor(wanted: SessionOptions['executionProviders'] = 'auto'): string[] {
  if (wanted !== 'auto') return [...wanted];
  // The Linux build names CUDA and TensorRT as supported also when their library was not installed with it.
  const folder = join(dirname(createRequire(import.meta.url).resolve('onnxruntime-node/package.json')), 'bin/napi-v6');
  const shared = join(folder, process.platform, process.arch, 'libonnxruntime_providers_shared.so');
  const installed = process.platform !== 'linux' || existsSync(shared);
  const available = installed ? ort.listSupportedBackends().map((b) => b.name as string) : [];
  return [...PREFERRED.filter((p) => available.includes(p)), 'cpu'];
}

/** @throws UnderstudyError(model) naming the file */
export async function createSession(
  path: string,
  options: SessionOptions = {},
): Promise<{ session: ort.InferenceSession; provider: string }> {
  let reason: unknown;
  for (const provider of providersFor(options.executionProviders)) {
    try {
      const session = await ort.InferenceSession.create(path, {
        executionProviders: [provider],
        intraOpNumThreads: 1,
        interOpNumThreads: 1,
        graphOptimizationLevel: 'all',
        logSeverityLevel: 3,
      });
      return { session, provider };
    } catch (error) {
      reason = error;
      if (provider !== 'cpu')
        options.onWarning?.(
          `${provider} cannot be used (${(error as Error).message.split('\n')[0]}); trying the next provider`,
        );
    }
  }
  throw new UnderstudyError(
    ExitCode.model,
    `the model ${path} cannot be loaded by ONNX Runtime: ${(reason as Error).message.split('\n')[0]}`,
    'run understudy doctor',
    { cause: reason },
  );
}
