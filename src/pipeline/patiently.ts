import { WorkerDied } from '../core/worker-errors.ts';

/** A picture that ends its worker this often is given up and veiled. */
const MAX_ATTEMPTS = 2;
const RESTART_MS = 20_000;

interface Restarting {
  readonly ready: Promise<unknown>;
  readonly alive: boolean;
}

/**
 * Asks a worker, once more when it died under the request and another took its place.
 * @param wait false: live, where nobody waits for a worker to start
 */
export async function patiently<R>(worker: Restarting, wait: boolean, call: () => Promise<R>): Promise<R> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await call();
    } catch (error) {
      if (!wait || !(error instanceof WorkerDied) || attempt >= MAX_ATTEMPTS) throw error;
      await restarted(worker);
    }
  }
}

/** Waits until the worker that takes the dead one's place answers. */
async function restarted(worker: Restarting): Promise<void> {
  const giveUpAt = performance.now() + RESTART_MS;
  while (performance.now() < giveUpAt) {
    if (worker.alive) {
      const up = await worker.ready.then(
        () => true,
        () => false,
      );
      if (up) return;
    }
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
