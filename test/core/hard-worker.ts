import { readFileSync } from 'node:fs';
import { serveWorker } from '../../src/core/serve-worker.ts';

const ranMs = () => Number(readFileSync('/proc/thread-self/schedstat', 'utf8').split(' ')[0]) / 1e6;

/** Answers when it has had a core for so many milliseconds, and dies of a negative number. */
serveWorker<{ readonly needsMs: number }, true, true>(async () => ({
  ready: true,
  handle({ needsMs }) {
    if (needsMs < 0) process.exit(7);
    const until = ranMs() + needsMs;
    while (ranMs() < until);
    return true;
  },
}));
