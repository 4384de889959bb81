import { type ChildProcess, spawn } from 'node:child_process';
import type { Readable } from 'node:stream';
import { ExitCode, UnderstudyError } from '../core/errors.ts';

const START_TIMEOUT_MS = 15_000;

/**
 * Runs Xvfb under a shell that waits for the end of its own standard input, a pipe from this process. However this
 * process ends, SIGKILL included, the kernel closes the pipe and the shell ends the server with it.
 */
const GUARD = `
Xvfb -displayfd 3 -screen 0 16x16x24 -nolisten tcp -noreset >/dev/null 2>&4 &
server=$!
exec 3>&- 4>&-
read -r _
kill "$server" 2>/dev/null
wait "$server"
`;

const installXvfb =
  'install the package xvfb (apt-get install xvfb libgl1 libgl1-mesa-dri), or set DISPLAY to a running X server';

/**
 * The X display that headless GL needs on Linux: the one in DISPLAY, or an Xvfb of our own, which then serves the
 * process until its end: the GL library keeps its connection after the last context is gone, and Xlib ends the whole
 * process when it next touches a connection whose server has left.
 */
export class XDisplay {
  readonly name: string;

  private constructor(name: string) {
    this.name = name;
  }

  /**
   * Must be called on the main thread before a worker loads GL: native code reads the process's own environment,
   * which a worker's `process.env` does not change.
   * @throws UnderstudyError(graphics) when there is no display and Xvfb is missing or does not start
   */
  static async open(): Promise<XDisplay> {
    const { DISPLAY } = process.env;
    if (DISPLAY) return new XDisplay(DISPLAY);
    if (process.platform !== 'linux') return new XDisplay('');
    // Its own session, so that a Ctrl-C in the terminal, which we answer by completing the file, does not reach it.
    const guard = spawn('sh', ['-c', GUARD], { stdio: ['pipe', 'ignore', 'ignore', 'pipe', 'pipe'], detached: true });
    guard.stdin?.on('error', () => {});
    try {
      const name = `:${await displayNumber(guard)}`;
      process.env.DISPLAY = name;
      guard.unref();
      for (const pipe of guard.stdio) (pipe as (Readable & { unref?: () => void }) | null)?.unref?.();
      return new XDisplay(name);
    } catch (cause) {
      guard.stdin?.end();
      throw cause;
    }
  }
}

function displayNumber(guard: ChildProcess): Promise<number> {
  const answer = guard.stdio[3] as Readable;
  const messages = guard.stdio[4] as Readable;
  return new Promise((resolve, reject) => {
    let text = '';
    let said = '';
    const fail = (what: string, cause?: unknown) =>
      reject(new UnderstudyError(ExitCode.graphics, what, installXvfb, { cause }));
    const timer = setTimeout(
      () => fail(`Xvfb did not give a display within ${START_TIMEOUT_MS / 1000} s`),
      START_TIMEOUT_MS,
    );
    messages.on('data', (chunk: Buffer) => {
      said = (said + chunk.toString()).slice(-400);
    });
    guard.on('error', (error) => {
      clearTimeout(timer);
      fail('no X display, and no shell to start Xvfb with', error);
    });
    answer.on('data', (chunk: Buffer) => {
      text += chunk.toString();
      const number = /^(\d+)\n/.exec(text)?.[1];
      if (number === undefined) return;
      clearTimeout(timer);
      resolve(Number(number));
    });
    // The server closes the pipe when it dies; the shell has closed its own end.
    const ended = [answer, messages].map((pipe) => new Promise((done) => pipe.on('end', done)));
    void Promise.all(ended).then(() => {
      clearTimeout(timer);
      const missing = /not found/.test(said);
      fail(
        missing ? 'no X display: DISPLAY is not set and Xvfb is not installed' : `Xvfb did not start: ${said.trim()}`,
      );
    });
  });
}
