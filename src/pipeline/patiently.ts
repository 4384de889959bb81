import { WorkerDied } from '../core/worker-errors.ts';

/** A picture that ends its worker this often is given up and veiled. */
const MAX_ATTEMPTS = 2;
const RESTART_MS = 20_000;
/**
 * Who has died or failed to start so often, which takes one and a half minutes, is waited for no more until it answers: an hour of film would
 * else take days to be veiled.
 */
const GIVEN_UP = 20;

interface Restarting {
  readonly ready: Promise<unknown>;
  readonly alive: boolean;
  /** Deaths and failed starts in a row. */
  readonly inVain: number;
}

/**
 * Asks a worker, once more when it died under the request and another took its place.
 * @param wait false: live, where nobody waits for a worker to start
 * @param call told whether it is the second time
 */
export async function patiently<R>(
  worker: Restarting,
  wait: boolean,
  call: (again: boolean) => Promise<R>,
): Promise<R> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await call(attempt > 1);
    } catch (error) {
      if (!wait || !(error instanceof WorkerDied) || attempt >= MAX_ATTEMPTS) throw error;
      if (!(await restarted(worker))) throw error;
    }
  }
}

/** Waits until the worker that takes the dead one's place answers. @returns false when nobody waits for it any more */
async function restarted(worker: Restarting): Promise<boolean> {
  const giveUpAt = performance.now() + RESTART_MS;
  while (performance.now() < giveUpAt) {
    if (worker.inVain >= GIVEN_UP) return false;
    if (worker.alive) {
      const up = await worker.ready.then(
        () => true,
        () => false,
      );
      if (up) return true;
    }
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  return true;
}
