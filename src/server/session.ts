import { randomBytes } from 'node:crypto';
import type { RTCPeerConnection } from 'werift';

export type SessionKind = 'whip' | 'whep';

/** A peer that has not connected after this long will not: a NAT in the way, or a client that is gone. */
const CONNECT_MS = 20_000;
/** A connection that stays interrupted for this long is given up. */
const DISCONNECTED_MS = 10_000;

/** One WHIP or WHEP resource: a peer connection that can be addressed and ends exactly once. */
export class Session {
  readonly id = randomBytes(12).toString('hex');
  readonly etag = `"${randomBytes(8).toString('hex')}"`;
  readonly kind: SessionKind;
  readonly peer: RTCPeerConnection;
  readonly #onEnd: (reason: string) => void;
  #timer: NodeJS.Timeout | undefined;
  #ended = false;

  constructor(kind: SessionKind, peer: RTCPeerConnection, onEnd: (reason: string) => void) {
    this.kind = kind;
    this.peer = peer;
    this.#onEnd = onEnd;
    this.#expect(CONNECT_MS, 'ICE did not connect: check UDP ports, and additionalHosts behind NAT');
    peer.connectionStateChange.subscribe((state) => this.#changed(state));
  }

  async close(reason = 'closed'): Promise<void> {
    if (this.#ended) return;
    this.#ended = true;
    clearTimeout(this.#timer);
    this.#onEnd(reason);
    await this.peer.close();
  }

  #changed(state: string): void {
    clearTimeout(this.#timer);
    if (state === 'failed' || state === 'closed') void this.close(`the connection has ${state}`);
    else if (state === 'disconnected') this.#expect(DISCONNECTED_MS, 'the connection was lost');
    else if (state !== 'connected') this.#expect(CONNECT_MS, 'ICE did not connect');
  }

  #expect(ms: number, otherwise: string): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => void this.close(otherwise), ms).unref();
  }
}
