import { readFileSync, readlinkSync } from 'node:fs';

/** The kernel's number of the calling thread; 0 where it cannot be told (not Linux). */
export function ownThread(): number {
  try {
    return Number(readlinkSync('/proc/thread-self').split('/').at(-1));
  } catch {
    return 0;
  }
}

/** How long one thread of this process is kept from running by others that have the cores. */
export class CoreWait {
  readonly #thread: number;
  readonly #sinceMs = performance.now();
  readonly #before: Times;

  constructor(thread: number) {
    this.#thread = thread;
    this.#before = timesOf(thread);
  }

  /** Milliseconds since this was made in which the thread could have run and had no core; 0 where the system does not tell. */
  get ms(): number {
    const now = timesOf(this.#thread);
    // A wait counts there once it has ended: of a thread that can run now, all is wait that it did not run.
    if (now.runnable) return performance.now() - this.#sinceMs - (now.ranMs - this.#before.ranMs);
    return now.waitedMs - this.#before.waitedMs;
  }
}

interface Times {
  readonly ranMs: number;
  readonly waitedMs: number;
  readonly runnable: boolean;
}

/** Linux's `schedstat` and `stat` (proc(5)). */
function timesOf(thread: number): Times {
  try {
    const folder = `/proc/self/task/${thread}`;
    const [ran, waited] = readFileSync(`${folder}/schedstat`, 'utf8').split(' ').map(Number);
    const stat = readFileSync(`${folder}/stat`, 'utf8');
    // The name before it stands in parentheses and may hold anything.
    const runnable = stat.charAt(stat.lastIndexOf(')') + 2) === 'R';
    return { ranMs: ran! / 1e6, waitedMs: waited! / 1e6, runnable };
  } catch {
    return { ranMs: 0, waitedMs: 0, runnable: false };
  }
}
