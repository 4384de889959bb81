import { type ChildProcess, spawn } from 'node:child_process';
import { createSocket, type Socket } from 'node:dgram';
import { writeFileSync } from 'node:fs';

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

/** Keeps the MPEG-TS that arrives at a UDP port of its own. */
export class UdpReceiver {
  readonly port: number;
  readonly #socket: Socket;
  readonly #packets: Buffer[] = [];
  bytes = 0;

  private constructor(socket: Socket) {
    this.#socket = socket;
    this.port = socket.address().port;
    socket.on('message', (packet) => {
      this.#packets.push(packet);
      this.bytes += packet.length;
    });
  }

  static async open(): Promise<UdpReceiver> {
    const socket = createSocket('udp4');
    await new Promise<void>((resolve) => socket.bind(0, '127.0.0.1', resolve));
    return new UdpReceiver(socket);
  }

  async close(path: string): Promise<void> {
    await new Promise<void>((resolve) => this.#socket.close(() => resolve()));
    writeFileSync(path, Buffer.concat(this.#packets));
  }
}
