import { type ChildProcess, spawn } from 'node:child_process';
import { createServer } from 'node:net';
import { ExitCode, UnderstudyError } from '../core/errors.ts';

/** The program as a user starts it, in a process of its own. */
export function startCommand(args: readonly string[]): ChildProcess {
  return spawn(process.execPath, [...process.execArgv, process.argv[1]!, ...args], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
}

/** Sends SIGTERM and waits; after ten seconds SIGKILL. */
export async function stopCommand(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  child.kill('SIGTERM');
  const timer = setTimeout(() => child.kill('SIGKILL'), 10_000);
  await ended;
  clearTimeout(timer);
}

export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.on('error', reject).listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address ? address.port : 0));
    });
  });
}

/** `understudy serve` on loopback. */
export class ServedStream {
  readonly child: ChildProcess;
  readonly base: string;
  readonly #metrics: string;

  private constructor(child: ChildProcess, port: number, metricsPort: number) {
    this.child = child;
    this.base = `http://127.0.0.1:${port}`;
    this.#metrics = `http://127.0.0.1:${metricsPort}/metrics`;
  }

  /** @throws UnderstudyError when it does not come up */
  static async start(streams: readonly string[], settings: readonly string[]): Promise<ServedStream> {
    const metricsPort = await freePort();
    const child = startCommand([
      ...['serve', '--host', '127.0.0.1', '--port', '0', '--metrics-port', String(metricsPort)],
      ...['--additional-host', '127.0.0.1', '--stream', ...streams, '--set', 'serve.apiPort=0', ...settings],
    ]);
    let last = '';
    const port = await new Promise<number>((resolve, reject) => {
      let rest = '';
      child.stderr!.setEncoding('utf8').on('data', (text: string) => {
        const lines = (rest + text).split('\n');
        rest = lines.pop()!;
        for (const line of lines) {
          last = line;
          if (line.includes('"msg":"listening"')) resolve((JSON.parse(line) as { port: number }).port);
          // Warnings and worse.
          else if (!/"level":[123]0,/.test(line)) process.stderr.write(`serve: ${line}\n`);
        }
      });
      child.once('exit', () =>
        reject(new UnderstudyError(ExitCode.internal, `understudy serve did not start (${last})`, 'try it by itself')),
      );
    });
    return new ServedStream(child, port, metricsPort);
  }

  /** A sample of /metrics by its name; NaN when it is not there. */
  async metrics(): Promise<(name: string) => number> {
    const lines = (await (await fetch(this.#metrics)).text()).split('\n');
    const value = (start: string) => lines.find((line) => line.startsWith(`understudy_${start} `))?.split(' ')[1];
    return (name) => Number(value(name) ?? Number.NaN);
  }

  stop(): Promise<void> {
    return stopCommand(this.child);
  }
}
