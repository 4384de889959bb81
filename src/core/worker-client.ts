import type { TransferListItem } from 'node:worker_threads';
import { type Reply, type Request, THREAD } from './serve-worker.ts';
import { spawnProcess, spawnWorker, type WorkerLike } from './spawn-worker.ts';
import { endNow, letGo } from './stuck-threads.ts';
import { CoreWait } from './thread-wait.ts';
import { WorkerDied, WorkerFailure, WorkerHung } from './worker-errors.ts';

export interface WorkerClientOptions {
  /** Handed to `serveWorker`'s start function, again on each restart. */
  readonly data?: unknown;
  /** Without an answer for this long while one is awaited, callers are told and no more is asked until one comes. 0: never. */
  readonly lateMs?: number;
  /**
   * Without an answer for this long the worker is hung and another one takes its place. 0: never. Time in which its thread waits
   * for a core does not count, up to twice as much, where the system tells it: on a busy machine another worker would be no quicker.
   */
  readonly timeoutMs?: number;
  /** Calls while it is started again are rejected at once. Else they wait for it, as they do for the first start in any case. */
  readonly impatient?: boolean;
  /** Hung workers that may be left behind; with one more the process ends (SIGKILL): only a new one helps. */
  readonly maxStuck?: number;
  readonly onDeath?: (error: WorkerDied, restarts: number) => void;
  /** The last word before the process ends. */
  readonly onHopeless?: (sentence: string) => void;
  /** The thread gives way to those of the process that carry packets and pictures, and to the coders. */
  readonly givesWay?: boolean;
  /** A process instead of a thread: no `data`, and nothing that shares memory. */
  readonly ownProcess?: boolean;
}

interface Pending<Res> {
  resolve: (r: Res) => void;
  reject: (e: Error) => void;
}

const FIRST_BACKOFF_MS = 50;
const MAX_BACKOFF_MS = 5000;
/** A thread that waited for a core for less than this in one go was not kept from answering. */
const NO_WAIT_MS = 200;
/** Times the timeout: one that runs in circles waits for a core too. */
const MOST_WAIT = 2;
/** Times the timeout, for a start: a second one on a busy machine must not count as hung, and be cut short again and again. */
const START_PATIENCE = 6;
const CLOSE_PATIENCE_MS = 10_000;
/** Hung workers that are left behind at most, unless told otherwise: each may keep a core busy for ever. */
export const MAX_STUCK = 2;

/** Request and reply with one worker thread, which is started again with growing pauses when it dies. */
export class WorkerClient<Req, Res, Ready = unknown> {
  readonly name: string;
  readonly #url: URL;
  readonly #options: WorkerClientOptions;
  readonly #pending = new Map<number, Pending<Res>>();
  /** Requests nobody waits for any more, still with the worker; called when it has answered. */
  readonly #overdue = new Map<number, () => void>();
  #worker: WorkerLike | undefined;
  #state = new SharedArrayBuffer(8);
  #ready!: Promise<Ready>;
  #started: Pending<Ready> | undefined;
  /** It has started once: what can be tried again is, from then on. */
  #begun = false;
  #nextId = 1;
  #closed = false;
  #backoffMs = FIRST_BACKOFF_MS;
  #watch: NodeJS.Timeout | undefined;
  #stuck = 0;
  #inVain = 0;
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
    return this.#worker !== undefined && this.#overdue.size === 0 && !this.#startsAgain;
  }

  /** How often in a row it has died, hung or failed to start, without an answer in between. */
  get inVain(): number {
    return this.#inVain;
  }

  get #startsAgain(): boolean {
    return this.#begun && this.#started !== undefined;
  }

  /** How long no answer may come. A start reads models and compiles shaders, on a busy machine for long. */
  get #patienceMs(): number {
    return (this.#options.timeoutMs ?? 0) * (this.#startsAgain ? START_PATIENCE : 1);
  }

  /** Rejects at once with WorkerDied when the worker is down or late: waiting would only grow a queue. */
  call(body: Req, transfer: TransferListItem[] = []): Promise<Res> {
    const worker = this.#closed ? undefined : this.#worker;
    if (!worker || (this.#options.impatient && this.#startsAgain))
      return Promise.reject(new WorkerDied(this.name, 'it is being started again'));
    if (this.#overdue.size > 0) return Promise.reject(new WorkerDied(this.name, 'it does not answer'));
    const id = this.#nextId++;
    return new Promise((resolve, reject) => {
      this.#pending.set(id, { resolve, reject });
      worker.postMessage({ id, body } satisfies Request, transfer);
      if (!this.#watch) this.#watchFrom(worker);
    });
  }

  /** Lets calls under way finish first: ending a thread inside a native call aborts the whole process. */
  async close(): Promise<void> {
    this.#closed = true;
    const giveUpAt = performance.now() + CLOSE_PATIENCE_MS;
    const busy = () => this.#started !== undefined || this.#pending.size + this.#overdue.size > 0;
    while (this.#worker && busy() && performance.now() < giveUpAt) {
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    clearTimeout(this.#watch);
    const worker = this.#worker;
    this.#worker = undefined;
    if (worker && busy()) void this.#abandon(worker, CLOSE_PATIENCE_MS);
    else await worker?.terminate();
    this.#rejectAll(new WorkerDied(this.name, 'it was closed'));
  }

  #start(): void {
    this.#state = new SharedArrayBuffer(8);
    const { data, givesWay = false, ownProcess } = this.#options;
    const worker = ownProcess
      ? spawnProcess(this.#url)
      : spawnWorker(this.#url, { data, state: this.#state, givesWay });
    this.#worker = worker;
    this.#ready = new Promise<Ready>((resolve, reject) => {
      this.#started = { resolve, reject };
    });
    this.#ready.catch(() => {});
    worker.on('message', (reply: Reply) => this.#settle(worker, reply));
    worker.on('error', (error) => this.#died(worker, error.message));
    worker.on('exit', (code) => this.#died(worker, `exit code ${code}`));
    if (this.#begun) this.#watchFrom(worker);
  }

  #settle(worker: WorkerLike, reply: Reply): void {
    if (this.#worker !== worker) return;
    const failure = reply.failure && new WorkerFailure(this.name, reply.failure);
    if (reply.id === 0) {
      // Such a thread answers everything with the error of its start, and would for ever; a driver or a disk may be there again in a moment.
      if (failure && this.#begun) {
        this.#died(worker, failure.message);
        return;
      }
      if (failure) this.#started?.reject(failure);
      else this.#started?.resolve(reply.body as Ready);
      this.#started = undefined;
      this.#begun ||= !failure;
    }
    this.#overdue.get(reply.id)?.();
    this.#overdue.delete(reply.id);
    const entry = this.#pending.get(reply.id);
    this.#pending.delete(reply.id);
    this.#watchFrom(worker);
    if (failure) entry?.reject(failure);
    else {
      // A start alone proves nothing: the first picture may end it again.
      if (reply.id > 0) {
        this.#backoffMs = FIRST_BACKOFF_MS;
        this.#inVain = 0;
      }
      entry?.resolve(reply.body as Res);
    }
  }

  /** Answers come one after the other: what counts is how long none has come, not how long a request has waited its turn. */
  #watchFrom(worker: WorkerLike): void {
    clearTimeout(this.#watch);
    this.#watch = undefined;
    const { lateMs = 0 } = this.#options;
    if (this.#pending.size + this.#overdue.size === 0 && !this.#startsAgain) return;
    const timeoutMs = this.#patienceMs;
    if (timeoutMs === 0) return;
    const tells = lateMs > 0 && lateMs < timeoutMs;
    const firstMs = tells ? lateMs : timeoutMs / 2;
    this.#watch = setTimeout(() => {
      if (tells) this.#tellLate(lateMs);
      this.#watchOn(worker, timeoutMs - firstMs, MOST_WAIT * timeoutMs);
    }, firstMs);
  }

  /** @param graceMs of which waits for a core may still be taken */
  #watchOn(worker: WorkerLike, leftMs: number, graceMs: number): void {
    const wait = new CoreWait(new Int32Array(this.#state)[THREAD]!);
    this.#watch = setTimeout(() => {
      const ms = Math.min(wait.ms, graceMs);
      if (ms > NO_WAIT_MS) this.#watchOn(worker, ms, graceMs - ms);
      else this.#hung(worker, this.#patienceMs);
    }, leftMs);
  }

  /** @param ended for requests of a thread that will answer no more */
  #tellLate(silentMs: number, ended?: Promise<void>): void {
    for (const [id, { reject }] of this.#pending) {
      const answered = new Promise<void>((resolve) => this.#overdue.set(id, resolve));
      reject(new WorkerHung(this.name, silentMs, ended ?? answered));
    }
    this.#pending.clear();
  }

  #hung(worker: WorkerLike, silentMs: number): void {
    if (this.#worker !== worker || this.#closed) return;
    if (this.#stuck >= (this.#options.maxStuck ?? MAX_STUCK)) {
      this.#giveUp();
      return;
    }
    this.#worker = undefined;
    this.#stuck++;
    void this.#abandon(worker, silentMs).then(() => {
      this.#stuck--;
    });
    this.#started?.reject(new WorkerDied(this.name, 'it hung while it started'));
    this.#started = undefined;
    this.#restart(new WorkerDied(this.name, `no answer within ${silentMs} ms`), Promise.resolve());
  }

  /** Lets go of a worker: what it was given to write into is its callers' again once it has ended, not before. */
  #abandon(worker: WorkerLike, silentMs: number): Promise<void> {
    const ended = this.#options.ownProcess ? worker.terminate().then(() => {}) : letGo(worker, this.#state);
    const overdue = [...this.#overdue.values()];
    void ended.then(() => {
      for (const release of overdue) release();
    });
    this.#tellLate(silentMs, ended);
    this.#overdue.clear();
    return ended;
  }

  #giveUp(): void {
    const sentence = `the ${this.name} worker hangs and cannot be replaced; the process ends, start it again`;
    this.#options.onHopeless?.(sentence);
    endNow();
  }

  #died(worker: WorkerLike, detail: string): void {
    if (this.#worker !== worker) return;
    this.#worker = undefined;
    clearTimeout(this.#watch);
    this.#watch = undefined;
    const death = new WorkerDied(this.name, detail);
    // gl may be loaded by one thread of the process at a time: the next worker starts only after this one has ended.
    const ended = worker.terminate().then(() => {});
    // Callers reuse the memory the worker was writing into as soon as they hear of its death: tell them when it has ended.
    const { timeoutMs = 0 } = this.#options;
    const never = timeoutMs > 0 ? setTimeout(() => this.#giveUp(), timeoutMs).unref() : undefined;
    void ended.then(() => {
      clearTimeout(never);
      this.#rejectAll(death);
    });
    if (!this.#closed) this.#restart(death, ended);
  }

  #restart(death: WorkerDied, ended: Promise<void>): void {
    this.restarts++;
    this.#inVain++;
    this.#options.onDeath?.(death, this.restarts);
    const pause = this.#backoffMs;
    this.#backoffMs = Math.min(this.#backoffMs * 2, MAX_BACKOFF_MS);
    void ended.then(() => setTimeout(() => this.#closed || this.#start(), pause));
  }

  #rejectAll(error: Error): void {
    this.#started?.reject(error);
    this.#started = undefined;
    for (const { reject } of this.#pending.values()) reject(error);
    this.#pending.clear();
    for (const release of this.#overdue.values()) release();
    this.#overdue.clear();
  }
}
