import { type ChildProcess, spawn } from 'node:child_process';

export interface Finished {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stderr: string;
}

/** The program as a user starts it, from the build. */
export function command(
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): { child: ChildProcess; done: Promise<Finished> } {
  const stdio = ['ignore', 'inherit', 'pipe'] as ['ignore', 'inherit', 'pipe'];
  const child = spawn(process.execPath, ['dist/main.js', ...args], { stdio, env: { ...process.env, ...env } });
  let stderr = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  return {
    child,
    done: new Promise((resolve) => child.once('close', (code, signal) => resolve({ code, signal, stderr }))),
  };
}

export const understudy = (...args: string[]) => command(['run', ...args]);
