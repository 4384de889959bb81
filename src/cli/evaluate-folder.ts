import { mkdirSync, mkdtempSync, rmdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { checkReport, outputError } from '../egress/file/output-path.ts';

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/** Where `evaluate` keeps what it makes on the way. */
export interface WorkFolder {
  readonly path: string;
  /** Removes it, unless it is to be kept. */
  close(): void;
}

/**
 * @param named to be kept; else a temporary folder, which goes with the command, also by a signal: it holds faces
 * @throws UnderstudyError(output)
 */
export function openWorkFolder(named: string | undefined): WorkFolder {
  const make = () => {
    if (named === undefined) return mkdtempSync(join(tmpdir(), 'understudy-evaluate-'));
    const kept = resolve(named);
    mkdirSync(kept, { recursive: true });
    // Else every picture would be measured, and then left out since its measurement cannot be kept.
    rmdirSync(mkdtempSync(join(kept, '.writable-')));
    return kept;
  };
  const listeners = named === undefined ? SIGNALS : [];
  let path: string | undefined;
  const remove = () => {
    if (named === undefined && path !== undefined) rmSync(path, { recursive: true, force: true, maxRetries: 3 });
  };
  const deafen = () => {
    for (const each of listeners) process.off(each, onSignal);
  };
  const onSignal = (signal: NodeJS.Signals) => {
    deafen();
    try {
      remove();
    } finally {
      // Ended as if nobody had listened: to exit would end threads inside native calls, which aborts the process.
      process.kill(process.pid, signal);
    }
  };
  // Before the folder is there: a signal in between would leave it.
  for (const signal of listeners) process.on(signal, onSignal);
  try {
    path = make();
  } catch (cause) {
    deafen();
    throw outputError(
      `the folder ${named ?? tmpdir()} cannot be made or written (${(cause as Error).message})`,
      'give --work the name of a folder',
    );
  }
  return {
    path,
    close: () => {
      deafen();
      remove();
    },
  };
}

/** Hours of work end in these files: whether they can be written is asked first. @throws UnderstudyError(output) */
export function checkResults(results: readonly (string | undefined)[], inputs: readonly (string | undefined)[]): void {
  const read = inputs.filter((path) => path !== undefined);
  const written = results.filter((path) => path !== undefined);
  for (const [i, path] of written.entries()) checkReport(path, read, written.slice(0, i));
}
