import { LET_GO } from './serve-worker.ts';
import type { WorkerLike } from './spawn-worker.ts';

/** Threads inside a native call that does not return. */
let stuck = 0;
let guarded = false;

/**
 * Lets go of a worker whose native call does not return. It is not terminated: ONNX Runtime throws when its call comes back
 * into a thread that is being ended, and the whole process aborts. Should the call come back, the thread ends by itself
 * (`serveWorker` looks at the flag).
 * @returns resolves when the thread has ended and can touch no memory any more
 */
export function letGo(worker: WorkerLike, state: SharedArrayBuffer): Promise<void> {
  Atomics.store(new Int32Array(state), LET_GO, 1);
  stuck++;
  worker.unref();
  // The usual end of a process waits for all of its threads, and would wait for ever.
  if (!guarded) process.once('exit', () => stuck > 0 && endNow());
  guarded = true;
  return new Promise((resolve) =>
    worker.once('exit', () => {
      stuck--;
      resolve();
    }),
  );
}

/** Ends the process although a thread is stuck: no exit code can be given then, only a signal (137 to a shell). */
export function endNow(): void {
  process.kill(process.pid, 'SIGKILL');
}
