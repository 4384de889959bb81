import { setTimeout as pause } from 'node:timers/promises';
import { serveWorker } from '../../src/core/serve-worker.ts';

export interface StartingData {
  /** Starts so far. */
  readonly starts: SharedArrayBuffer;
  /** Starts (the first is 1) that fail, and that never end. */
  readonly failing?: readonly number[];
  readonly hanging?: readonly number[];
  /** What every start but the first takes. */
  readonly againMs?: number;
}

/** Answers with the number of its start, and dies when it is told to. */
serveWorker<'ask' | 'die', number, number, StartingData>(async ({ starts, failing, hanging, againMs = 0 }) => {
  const start = Atomics.add(new Int32Array(starts), 0, 1) + 1;
  if (start > 1) await pause(againMs);
  if (failing?.includes(start)) throw new Error('the driver is not there yet');
  if (hanging?.includes(start)) await new Promise(() => {});
  return {
    ready: start,
    handle(request) {
      if (request === 'die') process.exit(7);
      return start;
    },
  };
});
