import { type ChildProcess, spawn } from 'node:child_process';
import { createSocket, type Socket } from 'node:dgram';
import { request as plainRequest } from 'node:http';
import { request } from 'node:https';
import { MediaStreamTrack, type PeerConfig, RTCPeerConnection, useH264, useOPUS, useVP8 } from 'werift';
import { ended } from './support.ts';

export interface Posted {
  readonly status: number;
  readonly body: string;
  /** Address and ETag of the session. */
  readonly location: string;
  readonly etag: string;
}

/** POSTs an SDP; over HTTPS whoever signed the certificate. */
export function postSdp(url: string, sdp: string, token?: string): Promise<Posted> {
  const headers = { 'Content-Type': 'application/sdp', ...(token && { Authorization: `Bearer ${token}` }) };
  return new Promise((resolve, reject) => {
    const send = url.startsWith('https:') ? request : plainRequest;
    const sent = send(url, { method: 'POST', headers, rejectUnauthorized: false }, (response) => {
      let body = '';
      response.setEncoding('utf8').on('data', (text: string) => {
        body += text;
      });
      const { location = '', etag = '' } = response.headers;
      response.on('end', () => resolve({ status: response.statusCode!, body, location, etag }));
    });
    sent.on('error', reject).end(sdp);
  });
}

const CODING = {
  vp8: ['-c:v', 'libvpx', '-deadline', 'realtime', '-cpu-used', '8', '-b:v', '1M'],
  h264: ['-c:v', 'libx264', '-preset', 'ultrafast', '-tune', 'zerolatency', '-profile:v', 'baseline'],
};

export interface PublisherOptions {
  readonly clip: string;
  readonly codec: keyof typeof CODING;
  readonly url: string;
  readonly token?: string;
  /** The clip's sound too, as Opus. */
  readonly sound?: boolean;
  /** Settings of the peer: STUN and TURN, say. */
  readonly peer?: Partial<PeerConfig>;
  /** What is left of the offer. */
  readonly offered?: (offer: string) => string;
  /** What is left of the server's answer. */
  readonly heard?: (answer: string) => string;
}

/** A WHIP publisher whose packets the test can spoil: ffmpeg plays a clip into it. */
export class RtpPublisher {
  readonly peer: RTCPeerConnection;
  readonly session: Posted;
  readonly source: ChildProcess;
  readonly #sockets: Socket[];
  /** What is sent in place of each packet; undefined: the packet. */
  replace: ((packet: Buffer) => Buffer[]) | undefined;

  private constructor(peer: RTCPeerConnection, session: Posted, source: ChildProcess, sockets: Socket[]) {
    this.peer = peer;
    this.session = session;
    this.source = source;
    this.#sockets = sockets;
  }

  static async start({ clip, codec, url, token, sound = false, ...more }: PublisherOptions): Promise<RtpPublisher> {
    const codecs = { video: [codec === 'vp8' ? useVP8() : useH264()], audio: sound ? [useOPUS()] : [] };
    const peer = new RTCPeerConnection({ codecs, ...more.peer });
    const track = new MediaStreamTrack({ kind: 'video' });
    peer.addTransceiver(track, { direction: 'sendonly' });
    const heard = new MediaStreamTrack({ kind: 'audio' });
    if (sound) peer.addTransceiver(heard, { direction: 'sendonly' });
    await peer.setLocalDescription(await peer.createOffer());
    const offer = peer.localDescription!.sdp;
    const session = await postSdp(url, more.offered?.(offer) ?? offer, token);
    const { status, body } = session;
    if (status !== 201) throw new Error(`${status} ${body}`);
    await peer.setRemoteDescription({ type: 'answer', sdp: more.heard?.(body) ?? body });
    const [socket, soundSocket] = [createSocket('udp4'), createSocket('udp4')];
    for (const each of [socket, soundSocket]) {
      await new Promise<void>((resolve) => each.bind(0, '127.0.0.1', resolve));
    }
    const at = ({ port }: { port: number }) => `rtp://127.0.0.1:${port}?pkt_size=1100`;
    const to = at(socket.address());
    const key = ['-g', '10', '-bf', '0', '-pix_fmt', 'yuv420p', '-an'];
    const args = [
      '-v',
      'error',
      '-threads',
      '1',
      '-re',
      '-stream_loop',
      '-1',
      '-i',
      clip,
      ...CODING[codec],
      ...key,
      '-f',
      'rtp',
      to,
    ];
    if (sound) args.push('-vn', '-c:a', 'libopus', '-ac', '2', '-f', 'rtp', at(soundSocket.address()));
    const source = spawn('ffmpeg', args, { stdio: 'ignore' });
    const publisher = new RtpPublisher(peer, session, source, [socket, soundSocket]);
    soundSocket.on('message', (packet) => heard.writeRtp(packet));
    socket.on('message', (packet) => {
      for (const each of publisher.replace?.(packet) ?? [packet]) track.writeRtp(each);
    });
    return publisher;
  }

  /** The server's. */
  get answer(): string {
    return this.session.body;
  }

  /** Sends spoilt copies of whatever goes over the wire (STUN, DTLS, SRTP, SRTCP) beside it, from the same port. */
  spoilTheWire(spoil: (datagram: Buffer) => Buffer): { stop(): void; sent: number } {
    const state = { sent: 0, stop: () => {} };
    const undo = this.peer.iceTransports.flatMap(({ connection }) =>
      (connection as unknown as { protocols: { transport: Wire }[] }).protocols.map(({ transport }) => {
        const { send } = transport;
        transport.send = async (data, address) => {
          await send(data, address);
          state.sent++;
          await send(spoil(data), address);
        };
        return () => {
          transport.send = send;
        };
      }),
    );
    state.stop = () => {
      for (const each of undo) each();
    };
    return state;
  }

  /** The next packet of the pictures is lost on the wire, and so are the first of those that are sent in its place. @returns how often it was sent */
  loseOne(times = 1): { sent: number } {
    const state = { sent: 0 };
    const { dtlsTransport } = this.peer.getTransceivers()[0]!.sender;
    const send = dtlsTransport.sendRtp.bind(dtlsTransport);
    let lost: number | undefined;
    dtlsTransport.sendRtp = (payload, header) => {
      lost ??= header.sequenceNumber;
      if (header.sequenceNumber !== lost || state.sent++ >= times) return send(payload, header);
      return Promise.resolve(0);
    };
    return state;
  }

  async close(): Promise<void> {
    this.source.kill('SIGKILL');
    await ended(this.source);
    for (const socket of this.#sockets) socket.close();
    await this.peer.close();
  }
}

interface Wire {
  send(data: Buffer, address?: [string, number]): Promise<void>;
}
