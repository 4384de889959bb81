import { getPriority, setPriority } from 'node:os';
import { parentPort, workerData } from 'node:worker_threads';
import { ownThread } from './thread-wait.ts';
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

/** Places in `WorkerStart.state`. */
export const LET_GO = 0;
export const THREAD = 1;

export interface WorkerStart {
  readonly data: unknown;
  /** Of a thread (a process shares none) two Int32: set to 1 once the worker has been let go of (core/stuck-threads), and the kernel's number of its thread. */
  readonly state: SharedArrayBuffer;
  readonly givesWay: boolean;
}

/** In steps of the scheduler; every process may raise it. */
const GIVING_WAY = 5;

/** A process is told nothing (`spawnProcess`): it gives way to the one that waits for its answers. */
const PROCESS: WorkerStart = { data: undefined, state: new SharedArrayBuffer(8), givesWay: true };

export interface WorkerService<Req, Res, Ready> {
  readonly ready: Ready;
  handle(request: Req): Promise<Res> | Res;
}

/** The other end of a WorkerClient: called once at the top of a worker file. */
export function serveWorker<Req, Res, Ready, Data = unknown>(
  start: (data: Data) => Promise<WorkerService<Req, Res, Ready>>,
): void {
  const port = parentPort ?? parentProcess();
  if (!port) throw new Error('serveWorker was called outside a worker');
  const fail = (id: number, error: unknown) => {
    const e = error as { message?: string; exitCode?: number; remedy?: string };
    port.postMessage({ id, failure: { message: e.message ?? String(error), exitCode: e.exitCode, remedy: e.remedy } });
  };
  const { data, state, givesWay } = (workerData ?? PROCESS) as WorkerStart;
  const flags = new Int32Array(state);
  Atomics.store(flags, THREAD, ownThread());
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
      if (Atomics.load(flags, LET_GO) === 1) process.exit(0);
      try {
        const result = await (await service).handle(body as Req);
        port.postMessage({ id, body: result });
      } catch (error) {
        fail(id, error);
      }
      if (Atomics.load(flags, LET_GO) === 1) process.exit(0);
    });
  });
}

function parentProcess() {
  if (!process.send) return undefined;
  process.once('disconnect', () => process.exit(0));
  // A terminal tells both: it is the parent that decides what is still finished.
  process.on('SIGINT', () => {});
  return {
    postMessage: (reply: unknown) => void process.send!(reply, undefined, undefined, () => {}),
    on: (event: 'message', listener: (request: Request) => void) => process.on(event, listener as () => void),
  };
}
