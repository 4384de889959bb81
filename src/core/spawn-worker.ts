import './no-telemetry.ts';
import { fileURLToPath } from 'node:url';
import { Worker, type WorkerOptions } from 'node:worker_threads';

/** A worker does not inherit the hooks that let its parent load TypeScript. */
const FROM_SOURCE = `
const { workerData } = require('node:worker_threads');
import('tsx/esm/api').then(({ register }) => {
  register();
  return import(workerData.__entry);
}).catch((error) => { setImmediate(() => { throw error; }); });
`;

/**
 * Starts `<url>.ts` from source (through tsx) or `<url>.js` from the build, whichever the caller itself runs from.
 * @param url extensionless module URL: `new URL('./x-worker', import.meta.url)`
 */
export function spawnWorker(url: URL, options: WorkerOptions = {}): Worker {
  if (!import.meta.url.endsWith('.ts')) return new Worker(`${fileURLToPath(url)}.js`, options);
  const workerData = { ...(options.workerData as object | undefined), __entry: `${url.href}.ts` };
  return new Worker(FROM_SOURCE, { ...options, eval: true, workerData });
}
