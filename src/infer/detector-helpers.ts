import { randomUUID } from 'node:crypto';
import { availableParallelism } from 'node:os';
import { WorkerClient, type WorkerClientOptions } from '../core/worker-client.ts';
import type { DetectorWorkerData } from './detector-messages.ts';

/** More would wait for the windows of one picture. */
const MOST = 4;

/**
 * Threads that look for faces, of which one is the analysis itself.
 * @param still pictures only: nothing else goes on while one is looked at
 * @param cores leave one for each of the other two workers and the coders
 */
export function detectorThreads(setting: 'auto' | number, still: boolean, cores = availableParallelism()): number {
  if (setting !== 'auto') return setting;
  return Math.max(1, Math.min(MOST, still ? cores : cores - 2));
}

/** Threads that help the analysis to look for faces, each with a detector of its own. The analysis does without one that dies. */
export class DetectorHelpers {
  /** What the analysis worker is told (`SharedDetector`). */
  readonly channel = `understudy-detector-${randomUUID()}`;
  readonly #clients: WorkerClient<'finish', undefined>[];

  constructor(count: number, data: Omit<DetectorWorkerData, 'channel'>, options: Omit<WorkerClientOptions, 'data'>) {
    const url = new URL('./detector-worker', import.meta.url);
    const channel = this.channel;
    this.#clients = Array.from(
      { length: count },
      () => new WorkerClient('detector', url, { ...options, data: { ...data, channel } satisfies DetectorWorkerData }),
    );
  }

  /** Rejects when one cannot start: then the analysis, which loads the same model, cannot either. */
  get ready(): Promise<unknown> {
    return Promise.all(this.#clients.map((client) => client.ready));
  }

  /** After the analysis: a look under way is finished first, for to end a thread inside a native call ends the process. */
  async close(): Promise<void> {
    await Promise.all(
      this.#clients.map(async (client) => {
        await client.ready.catch(() => {});
        await client.call('finish').catch(() => {});
        await client.close();
      }),
    );
  }
}
