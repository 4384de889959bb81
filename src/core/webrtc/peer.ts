import {
  GenericNack,
  RTCPeerConnection,
  RTCRtpHeaderExtensionParameters,
  type RTCRtpTransceiver,
  type RtcpPacket,
  RtcpTransportLayerFeedback,
  type RtpPacket,
  useAbsSendTime,
  useH264,
  useOPUS,
  useSdesMid,
  useTransportWideCC,
  useVP8,
} from 'werift';
import { ExitCode, UnderstudyError } from '../errors.ts';
import { MissingPackets } from './missing-packets.ts';
import { type ReadOffer, readOffer, type VideoCodecName } from './offer.ts';
import { TransportFeedback } from './transport-feedback.ts';

/** Header extension by which a sender tells a browser how long pictures may wait before they are shown. */
export const PLAYOUT_DELAY = 'http://www.webrtc.org/experiments/rtp-hdrext/playout-delay';

export interface IceServer {
  readonly urls: string;
  readonly username?: string | undefined;
  readonly credential?: string | undefined;
}

export interface PeerOptions {
  readonly iceServers: readonly IceServer[];
  /** UDP ports to use, first and last. */
  readonly portRange?: readonly [number, number];
  /** Addresses to offer besides those of the network interfaces: a public address behind NAT, or loopback. */
  readonly additionalHosts: readonly string[];
}

export interface Negotiated {
  readonly peer: RTCPeerConnection;
  readonly offer: ReadOffer;
  readonly answer: string;
  readonly video: RTCRtpTransceiver;
  readonly audio: RTCRtpTransceiver | undefined;
}

/**
 * Answers an offer: `publish` receives the peer's media, `view` sends to it. All of our candidates are in the answer.
 * @param codecs what can be received or sent, at least one
 * @throws UnderstudyError(input) for an offer that cannot be answered, UnderstudyError(tool) when all UDP ports are taken
 */
export async function answerOffer(
  sdp: string,
  purpose: 'publish' | 'view',
  options: PeerOptions,
  codecs: readonly VideoCodecName[] = ['vp8', 'h264'],
): Promise<Negotiated> {
  const offer = readOffer(sdp, purpose, codecs);
  // video-orientation is left out on purpose: a phone that may not send it turns its pictures itself.
  const extensions =
    purpose === 'publish'
      ? [useSdesMid(), useTransportWideCC()]
      : [useSdesMid(), useAbsSendTime(), new RTCRtpHeaderExtensionParameters({ uri: PLAYOUT_DELAY })];
  const peer = new RTCPeerConnection({
    codecs: { video: [offer.codec === 'vp8' ? useVP8() : useH264()], audio: [useOPUS()] },
    headerExtensions: { video: extensions, audio: [useSdesMid()] },
    iceServers: options.iceServers.map(({ urls, username, credential }) => ({
      urls,
      ...(username && { username }),
      ...(credential && { credential }),
    })),
    iceAdditionalHostAddresses: [...options.additionalHosts],
    ...(options.portRange && { icePortRange: [...options.portRange] as [number, number] }),
  });
  const done = options.portRange ? await portSearchTurn() : () => {};
  try {
    await peer.setRemoteDescription({ type: 'offer', sdp: offer.sdp });
    const direction = purpose === 'publish' ? 'recvonly' : 'sendonly';
    for (const transceiver of peer.getTransceivers()) transceiver.setDirection(direction);
    await peer.setLocalDescription(await peer.createAnswer());
    const video = peer.getTransceivers().find((t) => t.kind === 'video');
    if (!video || !peer.localDescription) throw new Error('nothing was negotiated');
    if (purpose === 'publish') replaceFeedback(video);
    const audio = peer.getTransceivers().find((t) => t.kind === 'audio');
    requirePorts(peer.localDescription.sdp, options);
    return { peer, offer, answer: shape(peer.localDescription.sdp, offer), video, audio };
  } catch (error) {
    await peer.close();
    if (error instanceof UnderstudyError) throw error;
    throw new UnderstudyError(
      ExitCode.input,
      `the SDP offer cannot be answered (${error instanceof Error ? error.message : String(error)})`,
      'offer video by VP8 or H.264, bundled, with ICE and DTLS',
      { cause: error },
    );
  } finally {
    done();
  }
}

let lastPortSearch: Promise<void> = Promise.resolve();

/** werift looks for a free port of the range and opens it in two steps: two sessions at once would find the same one. */
async function portSearchTurn(): Promise<() => void> {
  const before = lastPortSearch;
  let done = () => {};
  lastPortSearch = new Promise((resolve) => {
    done = resolve;
  });
  await before;
  return done;
}

/** An address without a port is left out of the answer silently, and a client that needs it would never connect. */
function requirePorts(answer: string, { portRange, additionalHosts }: PeerOptions): void {
  const hosts = [...answer.matchAll(/^a=candidate:\S+ 1 udp \d+ (\S+) \d+ typ host/gim)].map((match) => match[1]!);
  if (!portRange || (hosts.length > 0 && additionalHosts.every((host) => hosts.includes(host)))) return;
  throw new UnderstudyError(
    ExitCode.tool,
    `no UDP port from ${portRange.join(' to ')} is free`,
    'end other sessions, or widen serve.udpPorts: each session takes a port for each address that is offered',
  );
}

/** Puts our transport-wide feedback and our requests for lost packets in the places of werift's, which calls both with each packet. */
function replaceFeedback({ receiver }: RTCRtpTransceiver): void {
  // A failed send shows in the connection's state.
  const send = (packet: RtcpPacket) => void receiver.dtlsTransport.sendRtcp([packet]).catch(() => {});
  const ssrcs = () => ({ sender: receiver.rtcpSsrc, media: receiver.track.ssrc ?? 0 });
  const feedback = new TransportFeedback(ssrcs, (packet) => send({ serialize: () => packet } as RtcpPacket));
  receiver.receiverTWCC = {
    handleTWCC: (sequenceNumber: number | undefined) => {
      if (sequenceNumber !== undefined) feedback.packet(sequenceNumber);
    },
    set twccRunning(running: boolean) {
      if (!running) feedback.close();
    },
  } as unknown as NonNullable<typeof receiver.receiverTWCC>;
  const missing = new MissingPackets((lost) => {
    const { sender, media } = ssrcs();
    const nack = new GenericNack({ senderSsrc: sender, mediaSourceSsrc: media, lost: [...lost] });
    send(new RtcpTransportLayerFeedback({ feedback: nack }));
  });
  const requests = {
    addPacket: ({ header }: RtpPacket) => missing.packet(header.sequenceNumber),
    close: () => missing.close(),
  };
  Object.assign(receiver, { nack: requests });
}

/** States the profile that is really sent, whatever the peer's line said. */
function shape(answer: string, offer: ReadOffer): string {
  if (offer.codec !== 'h264') return answer;
  return answer.replace(/profile-level-id=[0-9a-f]{6}/gi, 'profile-level-id=42e01f');
}
