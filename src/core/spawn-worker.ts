import './no-telemetry.ts';
import { type ChildProcess, fork } from 'node:child_process';
import { EventEmitter } from 'node:events';
import { fileURLToPath } from 'node:url';
import { type TransferListItem, Worker } from 'node:worker_threads';
import type { WorkerStart } from './serve-worker.ts';

/** A worker does not inherit the hooks that let its parent load TypeScript. */
const FROM_SOURCE = `
const { workerData } = require('node:worker_threads');
import('tsx/esm/api').then(({ register }) => {
  register();
  return import(workerData.__entry);
}).catch((error) => { setImmediate(() => { throw error; }); });
`;
const fromBuild = !import.meta.url.endsWith('.ts');

/** What a WorkerClient needs of a thread, or of a process in its place; emits `message`, `error` and `exit` as a thread does. */
export interface WorkerLike extends EventEmitter {
  postMessage(message: unknown, transfer?: TransferListItem[]): void;
  terminate(): Promise<unknown>;
  unref(): void;
}

/**
 * Starts `<url>.ts` from source (through tsx) or `<url>.js` from the build, whichever the caller itself runs from.
 * @param url extensionless module URL: `new URL('./x-worker', import.meta.url)`
 */
export function spawnWorker(url: URL, start: WorkerStart): WorkerLike {
  if (fromBuild) return new Worker(`${fileURLToPath(url)}.js`, { workerData: start });
  return new Worker(FROM_SOURCE, { eval: true, workerData: { ...start, __entry: `${url.href}.ts` } });
}

/**
 * As `spawnWorker`, a process instead of a thread. It shares no memory, and takes no `data`; but what it holds does not make this process
 * larger, which the kernel goes through each time that an ffmpeg is started.
 */
export function spawnProcess(url: URL): WorkerLike {
  const path = `${fileURLToPath(url)}.${fromBuild ? 'js' : 'ts'}`;
  const execArgv = fromBuild ? [] : ['--import', 'tsx'];
  return new ProcessWorker(
    fork(path, [], { execArgv, serialization: 'advanced', stdio: ['ignore', 'inherit', 'inherit', 'ipc'] }),
  );
}

class ProcessWorker extends EventEmitter implements WorkerLike {
  readonly #child: ChildProcess;
  readonly #exited: Promise<unknown>;

  constructor(child: ChildProcess) {
    super();
    this.#child = child;
    this.#exited = new Promise((resolve) => child.once('close', resolve));
    child.on('message', (message) => this.emit('message', message));
    // What cannot be sent any more is answered by its exit.
    child.on('error', (error) => child.pid === undefined && this.emit('error', error));
    child.on('exit', (code, signal) => this.emit('exit', code ?? signal));
  }

  postMessage(message: unknown): void {
    if (this.#child.connected) this.#child.send(message as object, () => {});
  }

  async terminate(): Promise<void> {
    if (!this.#child.kill('SIGKILL')) return;
    await this.#exited;
  }

  unref(): void {
    this.#child.unref();
    this.#child.channel?.unref();
  }
}
