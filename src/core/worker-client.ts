import { setPriority } from 'node:os';
import { parentPort, type TransferListItem, type Worker, workerData } from 'node:worker_threads';
import { spawnWorker } from './spawn-worker.ts';

interface Request {
  id: number;
  body: unknown;
}
interface Reply {
  id: number;
  body?: unknown;
  failure?: { message: string; exitCode?: number; remedy?: string };
}

/** The worker thread ended while a request was under way: the caller steps down the ladder. */
export class WorkerDied extends Error {
  constructor(name: string, detail: string) {
    super(`the ${name} worker died: ${detail}`);
    this.name = 'WorkerDied';
  }
}

/** A request failed inside the worker, which lives on. */
export class WorkerFailure extends Error {
  readonly exitCode: number | undefined;
  readonly remedy: string | undefined;
  constructor(name: string, failure: NonNullable<Reply['failure']>) {
    // One with a remedy is a sentence for a person already.
    super(failure.remedy ? failure.message : `${name}: ${failure.message}`);
    this.name = 'WorkerFailure';
    this.exitCode = failure.exitCode;
    this.remedy = failure.remedy;
  }
}

export interface WorkerClientOptions {
  /** Handed to `serveWorker`'s start function, again on each restart. */
  readonly data?: unknown;
  /** A request that takes longer ends the worker (a hung native call cannot be interrupted otherwise). 0: never. */
  readonly timeoutMs?: number;
  readonly onDeath?: (error: WorkerDied, restarts: number) => void;
  /** The thread gives way to those of the process that carry packets and pictures, and to the coders. */
  readonly givesWay?: boolean;
}

interface WorkerStart {
  readonly data: unknown;
  readonly givesWay: boolean;
}

/** In steps of the scheduler; every process may raise it. */
const GIVING_WAY = 5;

interface Pending<Res> {
  resolve: (r: Res) => void;
  reject: (e: Error) => void;
  timer?: NodeJS.Timeout;
}

const FIRST_BACKOFF_MS = 50;
const MAX_BACKOFF_MS = 5000;
const CLOSE_PATIENCE_MS = 10_000;

/** Request and reply with one worker thread, which is started again with growing pauses when it dies. */
export class WorkerClient<Req, Res, Ready = unknown> {
  readonly name: string;
  readonly #url: URL;
  readonly #options: WorkerClientOptions;
  readonly #pending = new Map<number, Pending<Res>>();
  #worker: Worker | undefined;
  #ready!: Promise<Ready>;
  #nextId = 1;
  #closed = false;
  #backoffMs = FIRST_BACKOFF_MS;
  restarts = 0;

  constructor(name: string, url: URL, options: WorkerClientOptions = {}) {
    this.name = name;
    this.#url = url;
    this.#options = options;
    this.#start();
  }

  /** What the worker's start function returned as `ready`; rejects when the present start failed. */
  get ready(): Promise<Ready> {
    return this.#ready;
  }

  get alive(): boolean {
    return this.#worker !== undefined;
  }

  /** Rejects at once with WorkerDied when the worker is down: waiting would only grow a queue. */
  call(body: Req, transfer: TransferListItem[] = []): Promise<Res> {
    const worker = this.#closed ? undefined : this.#worker;
    if (!worker) return Promise.reject(new WorkerDied(this.name, 'it is being started again'));
    const id = this.#nextId++;
    return new Promise((resolve, reject) => {
      const entry: Pending<Res> = { resolve, reject };
      if (this.#options.timeoutMs) {
        entry.timer = setTimeout(
          () => this.#died(worker, `no answer within ${this.#options.timeoutMs} ms`),
          this.#options.timeoutMs,
        );
      }
      this.#pending.set(id, entry);
      worker.postMessage({ id, body } satisfies Request, transfer);
    });
  }

  /** Lets calls under way finish first: ending a thread inside a native call aborts the whole process. */
  async close(): Promise<void> {
    this.#closed = true;
    const giveUpAt = performance.now() + CLOSE_PATIENCE_MS;
    while (this.#worker && this.#pending.size > 0 && performance.now() < giveUpAt) {
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    const worker = this.#worker;
    this.#worker = undefined;
    await worker?.terminate();
    reject([...this.#pending.values()], new WorkerDied(this.name, 'it was closed'));
    this.#pending.clear();
  }

  #start(): void {
    const worker = spawnWorker(this.#url, {
      workerData: { data: this.#options.data, givesWay: this.#options.givesWay ?? false } satisfies WorkerStart,
    });
    this.#worker = worker;
    this.#ready = new Promise<Ready>((resolve, reject) => {
      this.#pending.set(0, { resolve: (r) => resolve(r as unknown as Ready), reject });
    });
    this.#ready.catch(() => {});
    worker.on('message', (reply: Reply) => this.#settle(reply));
    worker.on('error', (error) => this.#died(worker, error.message));
    worker.on('exit', (code) => this.#died(worker, `exit code ${code}`));
  }

  #settle(reply: Reply): void {
    const entry = this.#pending.get(reply.id);
    if (!entry) return;
    this.#pending.delete(reply.id);
    clearTimeout(entry.timer);
    if (reply.failure) entry.reject(new WorkerFailure(this.name, reply.failure));
    else {
      this.#backoffMs = FIRST_BACKOFF_MS;
      entry.resolve(reply.body as Res);
    }
  }

  #died(worker: Worker, detail: string): void {
    if (this.#worker !== worker) return;
    this.#worker = undefined;
    const death = new WorkerDied(this.name, detail);
    // gl may be loaded by one thread of the process at a time: the next worker starts only after this one has ended.
    const ended = worker.terminate();
    // Callers reuse the memory the worker was writing into as soon as they hear of its death: tell them when it has ended.
    const pending = [...this.#pending.values()];
    this.#pending.clear();
    void ended.then(() => reject(pending, death));
    if (this.#closed) return;
    this.restarts++;
    this.#options.onDeath?.(death, this.restarts);
    const pause = this.#backoffMs;
    this.#backoffMs = Math.min(this.#backoffMs * 2, MAX_BACKOFF_MS);
    void ended.then(() => setTimeout(() => this.#closed || this.#start(), pause));
  }
}

function reject(entries: readonly Pick<Pending<never>, 'reject' | 'timer'>[], error: Error): void {
  for (const entry of entries) {
    clearTimeout(entry.timer);
    entry.reject(error);
  }
}

export interface WorkerService<Req, Res, Ready> {
  readonly ready: Ready;
  handle(request: Req): Promise<Res> | Res;
}

/** The other end: called once at the top of a worker file. */
export function serveWorker<Req, Res, Ready, Data = unknown>(
  start: (data: Data) => Promise<WorkerService<Req, Res, Ready>>,
): void {
  const port = parentPort;
  if (!port) throw new Error('serveWorker was called outside a worker thread');
  const fail = (id: number, error: unknown) => {
    const e = error as { message?: string; exitCode?: number; remedy?: string };
    port.postMessage({ id, failure: { message: e.message ?? String(error), exitCode: e.exitCode, remedy: e.remedy } });
  };
  const { data, givesWay } = workerData as WorkerStart;
  // On Linux this is the calling thread's own priority, elsewhere the whole process's.
  if (givesWay && process.platform === 'linux') setPriority(0, GIVING_WAY);
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
      try {
        const result = await (await service).handle(body as Req);
        port.postMessage({ id, body: result });
      } catch (error) {
        fail(id, error);
      }
    });
  });
}
