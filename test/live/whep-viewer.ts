import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  RTCPeerConnection,
  type RtcpPacket,
  RtcpReceiverInfo,
  RtcpRrPacket,
  RtcpSrPacket,
  type RtpPacket,
  useH264,
  useOPUS,
  useVP8,
} from 'werift';
import { withOpusHead } from '../../src/core/audio/codec.ts';
import { ivfFrameHeader, ivfHeader } from '../../src/core/ivf.ts';
import { NutWriter } from '../../src/core/nut/muxer.ts';
import { sequenceDistance } from '../../src/core/rtp.ts';
import { Vp8Depacketizer } from '../../src/core/rtp-vp8.ts';
import type { VideoCodecName } from '../../src/core/webrtc/offer.ts';
import { beeps, flashes, pairs } from './flash.ts';
import { type Posted, type PublisherOptions, postSdp } from './rtp-publisher.ts';
import { temporaryFolder } from './support.ts';

/** A sender report: seconds since 1900 at which the medium had an RTP timestamp. */
interface Report {
  readonly seconds: number;
  readonly rtp: number;
}

interface WatchOptions extends Pick<PublisherOptions, 'offered' | 'heard'> {
  readonly codec?: VideoCodecName;
}

interface Received {
  readonly packet: RtpPacket;
}

/** A viewer without a browser: keeps what comes by RTP and when. */
export class WhepViewer {
  readonly video: Received[] = [];
  readonly audio: Received[] = [];
  readonly videoReports: Report[] = [];
  readonly audioReports: Report[] = [];
  readonly peer: RTCPeerConnection;

  readonly session: Posted;

  private constructor(peer: RTCPeerConnection, session: Posted) {
    this.peer = peer;
    this.session = session;
    peer.onTrack.subscribe((track) => {
      const kept = track.kind === 'video' ? this.video : this.audio;
      track.onReceiveRtp.subscribe((packet) => kept.push({ packet }));
      const reports = track.kind === 'video' ? this.videoReports : this.audioReports;
      track.onReceiveRtcp.subscribe((packet) => {
        if (!(packet instanceof RtcpSrPacket)) return;
        const { ntpTimestamp, rtpTimestamp } = packet.senderInfo;
        reports.push({ seconds: Number(ntpTimestamp) / 2 ** 32, rtp: rtpTimestamp });
      });
    });
  }

  static async watch(url: string, { codec = 'vp8', ...left }: WatchOptions = {}): Promise<WhepViewer> {
    const peer = new RTCPeerConnection({
      codecs: { video: [codec === 'vp8' ? useVP8() : useH264()], audio: [useOPUS()] },
    });
    peer.addTransceiver('video', { direction: 'recvonly' });
    peer.addTransceiver('audio', { direction: 'recvonly' });
    await peer.setLocalDescription(await peer.createOffer());
    const offer = peer.localDescription!.sdp;
    const session = await postSdp(url, left.offered?.(offer) ?? offer);
    if (session.status !== 201) throw new Error(`${session.status} ${session.body}`);
    const viewer = new WhepViewer(peer, session);
    await peer.setRemoteDescription({ type: 'answer', sdp: left.heard?.(session.body) ?? session.body });
    return viewer;
  }

  /** The next packet of the pictures does not arrive. Those that are sent again do. */
  loseOne(onLost: (packet: RtpPacket) => void): void {
    const receiver = this.peer.getTransceivers()[0]!.receiver as unknown as { handleRTP?: Take };
    const last = this.video.at(-1)!.packet.header.sequenceNumber;
    receiver.handleRTP = function (packet, ...rest) {
      if (sequenceDistance(packet.header.sequenceNumber, last) <= 0) return ofClass.call(this, packet, ...rest);
      delete receiver.handleRTP;
      onLost(packet);
    };
    const ofClass = (Object.getPrototypeOf(receiver) as { handleRTP: Take }).handleRTP;
  }

  /** Asks for a key picture, by PLI or as conference bridges do it, by FIR (RFC 5104). */
  async ask(how: 'pli' | 'fir'): Promise<void> {
    const { receiver } = this.peer.getTransceivers()[0]!;
    const media = receiver.track.ssrc!;
    if (how === 'pli') return receiver.sendRtcpPLI(media);
    const fir = Buffer.alloc(20);
    fir.set([0x84, 206, 0, 4]);
    fir.writeUInt32BE(receiver.rtcpSsrc, 4);
    fir.writeUInt32BE(media, 12);
    fir[16] = 1;
    await receiver.dtlsTransport.sendRtcp([{ serialize: () => fir } as RtcpPacket]);
  }

  /** Says how many bits a second can be received (REMB). */
  async estimate(bitsPerSecond: number): Promise<void> {
    const { receiver } = this.peer.getTransceivers()[0]!;
    let [mantissa, exponent] = [bitsPerSecond, 0];
    for (; mantissa >= 2 ** 18; mantissa = mantissa >> 1) exponent++;
    const remb = Buffer.alloc(24);
    remb.set([0x8f, 206, 0, 5]);
    remb.writeUInt32BE(receiver.rtcpSsrc, 4);
    remb.write('REMB', 12);
    remb.writeUInt32BE(((1 << 24) | (exponent << 18) | mantissa) >>> 0, 16);
    remb.writeUInt32BE(receiver.track.ssrc!, 20);
    await receiver.dtlsTransport.sendRtcp([{ serialize: () => remb } as RtcpPacket]);
  }

  /** Says which share of the pictures' packets was lost (a receiver report). */
  async lost(share: number): Promise<void> {
    const { receiver } = this.peer.getTransceivers()[0]!;
    const ssrc = receiver.track.ssrc!;
    const info = { ssrc, fractionLost: Math.round(share * 256), packetsLost: 1000, highestSequence: 0, jitter: 0 };
    const report = new RtcpReceiverInfo({ ...info, lsr: 0, dlsr: 0 });
    await receiver.dtlsTransport.sendRtcp([new RtcpRrPacket({ ssrc: receiver.rtcpSsrc, reports: [report] })]);
  }

  /** By how many milliseconds each tone is later than its flash, as a browser plays them: by the sender reports. */
  skews(): number[] {
    const folder = temporaryFolder();
    const [ivf, nut] = [join(folder, 'seen.ivf'), join(folder, 'heard.nut')];
    this.#writeVideo(ivf);
    this.#writeAudio(nut);
    const seen = flashes(ivf).map((s) => s + clock(this.video, this.videoReports, 90_000));
    const heard = beeps(nut).map((s) => s + clock(this.audio, this.audioReports, 48_000));
    return pairs(seen, heard);
  }

  close(): Promise<void> {
    return this.peer.close();
  }

  #writeVideo(path: string): void {
    const depacketizer = new Vp8Depacketizer();
    const parts: Uint8Array[] = [ivfHeader(320, 240)];
    const ordered = [...this.video].sort((a, b) => ticks(this.video, a) - ticks(this.video, b));
    for (const received of ordered) {
      const { sequenceNumber, timestamp, marker } = received.packet.header;
      for (const picture of depacketizer.push({
        sequenceNumber,
        timestamp,
        marker,
        payload: received.packet.payload,
      })) {
        if (picture === 'broken') continue;
        parts.push(ivfFrameHeader(picture.data.length, ticks(this.video, received)), picture.data);
      }
    }
    writeFileSync(path, Buffer.concat(parts));
  }

  #writeAudio(path: string): void {
    const tag = new TextEncoder().encode('Opus');
    const format = withOpusHead({ tag, extradata: new Uint8Array(), sampleRate: 48_000, channels: 2 });
    const nut = new NutWriter(undefined, { audio: format });
    const parts: Uint8Array[] = [nut.header];
    for (const received of this.audio) {
      const timestampUs = Math.round(ticks(this.audio, received) / 0.048);
      if (timestampUs < 0) continue;
      parts.push(nut.sound({ timestampUs, data: received.packet.payload }));
    }
    writeFileSync(path, Buffer.concat(parts));
  }
}

type Take = (this: unknown, packet: RtpPacket, ...rest: unknown[]) => void;

/** RTP ticks since the first packet. */
function ticks(all: readonly Received[], { packet }: Received): number {
  return (packet.header.timestamp - all[0]!.packet.header.timestamp) | 0;
}

/** Seconds on the sender's clock at which the medium's time is zero: the median over its reports. */
function clock(all: readonly Received[], reports: readonly Report[], rate: number): number {
  const first = all[0]!.packet.header.timestamp;
  const offsets = reports.map(({ seconds, rtp }) => seconds - ((rtp - first) | 0) / rate).sort((a, b) => a - b);
  if (offsets.length === 0) throw new Error('no sender report has come');
  return offsets[offsets.length >> 1]!;
}
