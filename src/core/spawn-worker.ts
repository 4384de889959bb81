import { fileURLToPath } from 'node:url';
import { Worker, type WorkerOptions } from 'node:worker_threads';

/**
 * Starts `<url>.ts` from source (through tsx) or `<url>.js` from the build, whichever the caller itself runs from.
 * @param url extensionless module URL: `new URL('./x-worker', import.meta.url)`
 */
export function spawnWorker(url: URL, options: WorkerOptions = {}): Worker {
  const source = import.meta.url.endsWith('.ts');
  const file = fileURLToPath(url) + (source ? '.ts' : '.js');
  return new Worker(file, source ? { ...options, execArgv: ['--import', 'tsx'] } : options);
}
