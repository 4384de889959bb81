import { getPriority, setPriority } from 'node:os';
import { parentPort, workerData } from 'node:worker_threads';
import type { Fault } from './worker-errors.ts';

export interface Request {
  readonly id: number;
  readonly body: unknown;
}

export interface Reply {
  readonly id: number;
  readonly body?: unknown;
  readonly failure?: Fault;
}

export interface WorkerStart {
  readonly data: unknown;
  /** Set once the worker has been let go of (core/stuck-threads). */
  readonly letGo: SharedArrayBuffer;
  readonly givesWay: boolean;
}

/** In steps of the scheduler; every process may raise it. */
const GIVING_WAY = 5;

export interface WorkerService<Req, Res, Ready> {
  readonly ready: Ready;
  handle(request: Req): Promise<Res> | Res;
}

/** The other end of a WorkerClient: called once at the top of a worker file. */
export function serveWorker<Req, Res, Ready, Data = unknown>(
  start: (data: Data) => Promise<WorkerService<Req, Res, Ready>>,
): void {
  const port = parentPort;
  if (!port) throw new Error('serveWorker was called outside a worker thread');
  const fail = (id: number, error: unknown) => {
    const e = error as { message?: string; exitCode?: number; remedy?: string };
    port.postMessage({ id, failure: { message: e.message ?? String(error), exitCode: e.exitCode, remedy: e.remedy } });
  };
  const { data, letGo, givesWay } = workerData as WorkerStart;
  const flag = new Int32Array(letGo);
  // On Linux this is the calling thread's own priority, elsewhere the whole process's. A lower one than that may not be raised.
  if (givesWay && process.platform === 'linux' && getPriority(0) < GIVING_WAY) setPriority(0, GIVING_WAY);
  const service = start(data as Data);
  service.then(
    (s) => port.postMessage({ id: 0, body: s.ready }),
    (error) => fail(0, error),
  );
  // One after the other: a model fills its input and then waits for its turn to run, and a request that came in between,
  // of another stream, would put another picture there.
  let before: Promise<void> = Promise.resolve();
  port.on('message', ({ id, body }: Request) => {
    before = before.then(async () => {
      // Let go of while it hung, it is back after all: what waits was given up, and another thread has taken its place.
      if (Atomics.load(flag, 0) === 1) process.exit(0);
      try {
        const result = await (await service).handle(body as Req);
        port.postMessage({ id, body: result });
      } catch (error) {
        fail(id, error);
      }
      if (Atomics.load(flag, 0) === 1) process.exit(0);
    });
  });
}
