import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
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
    mkdirSync(resolve(named), { recursive: true });
    return resolve(named);
  };
  let path: string;
  try {
    path = make();
  } catch (cause) {
    throw outputError(
      `the folder ${named ?? tmpdir()} cannot be made (${(cause as Error).message})`,
      'give --work the name of a folder',
    );
  }
  if (named !== undefined) return { path, close: () => {} };
  const remove = () => rmSync(path, { recursive: true, force: true, maxRetries: 3 });
  const onSignal = (signal: NodeJS.Signals) => {
    for (const each of SIGNALS) process.off(each, onSignal);
    try {
      remove();
    } finally {
      // Ended as if nobody had listened: to exit would end threads inside native calls, which aborts the process.
      process.kill(process.pid, signal);
    }
  };
  for (const signal of SIGNALS) process.on(signal, onSignal);
  return {
    path,
    close: () => {
      for (const signal of SIGNALS) process.off(signal, onSignal);
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
