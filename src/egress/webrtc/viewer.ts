import {
  GenericNack,
  PictureLossIndication,
  type RTCPeerConnection,
  type RTCRtpTransceiver,
  RtcpPayloadSpecificFeedback,
  RtcpRrPacket,
  RtcpSrPacket,
  RtcpTransportLayerFeedback,
  RtpHeader,
  RtpPacket,
} from 'werift';
import { absSendTime, ntpOf } from '../../core/webrtc/ntp.ts';
import type { VideoCodecName } from '../../core/webrtc/offer.ts';
import { PLAYOUT_DELAY } from '../../core/webrtc/peer.ts';
import { ReportClock } from './report-clock.ts';
import { SentPackets } from './sent-packets.ts';

const ABS_SEND_TIME = 'http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time';
/** RTP's clock for pictures is 90 kHz. */
const TICKS_PER_US = 0.09;

/** Feedback message type of FIR. */
const FULL_INTRA_REQUEST = 4;
type Fir = RtcpPayloadSpecificFeedback['feedback'] & { readonly fir: readonly { readonly ssrc: number }[] };

/** PLI (RFC 4585) or FIR (RFC 5104) for this sender. */
function asksForKey({ feedback }: RtcpPayloadSpecificFeedback, ssrc: number): boolean {
  if (feedback instanceof PictureLossIndication) return feedback.mediaSsrc === ssrc;
  // werift reads it and does not export its class.
  return feedback?.count === FULL_INTRA_REQUEST && (feedback as Fir).fir.some((asked) => asked.ssrc === ssrc);
}

interface Packet {
  readonly timestamp: number;
  readonly marker: boolean;
  readonly payload: Uint8Array;
}

/**
 * Playout delay from 0 to 0: a browser shows a picture when it has it. Frames take unequal times in the stages, and a browser that
 * smoothed that out would hold each one back for as long as the slowest took. The upper end has to be 0 too: with any other a browser
 * that buffers its sound smooths again, so that the picture waits for the sound. The sound is sent ahead instead (`DelayedAudio`).
 */
const SHOW_AT_ONCE = Buffer.from([0, 0, 0]);

export interface OpusPacket extends Packet {
  /** Its time on the clock of the pictures' ticks. */
  readonly timeUs: number;
}

/** One peer that watches: numbers its own packets, so that viewers never see one another's losses. */
export class Viewer {
  readonly codec: VideoCodecName;
  readonly peer: RTCPeerConnection;
  readonly #video: RTCRtpTransceiver;
  readonly #audio: RTCRtpTransceiver | undefined;
  readonly #tellVideoTime: (timeUs: number) => void;
  readonly #tellAudioTime: (timeUs: number) => void = () => {};
  /** Told when the viewer can take less than the least that is sent, for so long that it cannot be helped. */
  onTooSlow: (() => void) | undefined;
  #videoSequence = Math.floor(Math.random() * 0x8000);
  #audioSequence = Math.floor(Math.random() * 0x8000);
  readonly #sent = new SentPackets();
  /** Since it was last asked for. */
  #mostLost = 0;
  /** It gets pictures from a key picture on. */
  #started = false;

  constructor(
    codec: VideoCodecName,
    peer: RTCPeerConnection,
    video: RTCRtpTransceiver,
    audio: RTCRtpTransceiver | undefined,
    onKeyWanted: () => void,
  ) {
    this.codec = codec;
    this.peer = peer;
    this.#video = video;
    this.#audio = audio;
    const reports = new ReportClock();
    this.#tellVideoTime = reports.attach(video.sender);
    if (audio) this.#tellAudioTime = reports.attach(audio.sender);
    // At the transport: werift gives a request to whoever has the number of its sender, which a viewer may have named in its offer, and a
    // FIR, whose header names nobody, to no one.
    video.sender.dtlsTransport.onRtcp.subscribe((packet) => {
      if (packet instanceof RtcpPayloadSpecificFeedback && asksForKey(packet, video.sender.ssrc)) onKeyWanted();
      if (packet instanceof RtcpTransportLayerFeedback && packet.feedback instanceof GenericNack) {
        this.#sendAgain(packet.feedback);
      }
      if (!(packet instanceof RtcpRrPacket || packet instanceof RtcpSrPacket)) return;
      for (const { ssrc, fractionLost } of packet.reports)
        if (ssrc === video.sender.ssrc) this.#mostLost = Math.max(this.#mostLost, fractionLost / 256);
    });
    video.sender.onReady.subscribe(onKeyWanted);
  }

  get connected(): boolean {
    return this.peer.connectionState === 'connected';
  }

  /** What the viewer says it can receive, kbit/s; undefined until it has said so. */
  get estimateKbps(): number | undefined {
    const bits = Number(this.#video.sender.receiverEstimatedMaxBitrate);
    return bits > 0 ? bits / 1000 : undefined;
  }

  /** By its receiver reports; 0 until there is one. */
  get roundTripMs(): number {
    const { rtt = 0 } = this.#video.sender as unknown as { rtt?: number };
    return Math.max(0, rtt) * 1000;
  }

  /** The largest share of packets that a receiver report since the last call says were lost on the way. */
  takeMostLost(): number {
    const most = this.#mostLost;
    this.#mostLost = 0;
    return most;
  }

  /** A new encoder's pictures refer to nothing that was sent before. */
  restart(): void {
    this.#started = false;
  }

  sendPicture(payloads: readonly Uint8Array[], ticks: number, key: boolean): void {
    if (!this.connected) return;
    this.#started ||= key;
    if (!this.#started) return;
    this.#tellVideoTime(ticks / TICKS_PER_US);
    payloads.forEach((payload, i) => {
      const marker = i === payloads.length - 1;
      this.#videoSequence = (this.#videoSequence + 1) & 0xffff;
      this.#sent.add(this.#send(this.#video, { payload, marker, timestamp: ticks >>> 0 }, this.#videoSequence));
    });
  }

  sendAudio(packet: OpusPacket): void {
    if (!this.#audio || !this.connected || !this.#started) return;
    this.#audioSequence = (this.#audioSequence + 1) & 0xffff;
    this.#tellAudioTime(packet.timeUs);
    this.#send(this.#audio, packet, this.#audioSequence);
  }

  #sendAgain({ mediaSourceSsrc, lost }: GenericNack): void {
    const { ssrc, dtlsTransport } = this.#video.sender;
    if (mediaSourceSsrc !== ssrc) return;
    // A viewer that has just gone shows in its connection state.
    for (const { payload, header } of this.#sent.toSendAgain(lost))
      dtlsTransport.sendRtp(payload, header).catch(() => {});
  }

  #send(transceiver: RTCRtpTransceiver, packet: Packet, sequenceNumber: number): RtpPacket {
    const header = new RtpHeader({
      marker: packet.marker,
      timestamp: packet.timestamp,
      sequenceNumber,
      // The sender sets its own; these only have to be there.
      payloadType: 96,
      ssrc: transceiver.sender.ssrc,
    });
    const extend = (wanted: string, payload: Buffer) => {
      const { id } = transceiver.headerExtensions.find(({ uri }) => uri === wanted) ?? {};
      if (id !== undefined) header.extensions.push({ id, payload });
    };
    extend(PLAYOUT_DELAY, SHOW_AT_ONCE);
    extend(ABS_SEND_TIME, absSendTime(ntpOf(performance.timeOrigin + performance.now())));
    // A copy for each viewer: the sender keeps and changes what it is given, and sends it again when asked to.
    const own = new RtpPacket(header, Buffer.from(packet.payload));
    // A viewer that has just gone shows in its connection state.
    transceiver.sender.sendRtp(own).catch(() => {});
    return own;
  }
}
