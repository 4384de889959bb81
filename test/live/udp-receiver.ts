import { createSocket, type Socket } from 'node:dgram';
import { writeFileSync } from 'node:fs';

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
    this.save(path);
  }

  save(path: string): void {
    writeFileSync(path, Buffer.concat(this.#packets));
  }

  /** Forgets what has come so far. */
  clear(): void {
    this.#packets.length = 0;
    this.bytes = 0;
  }
}
