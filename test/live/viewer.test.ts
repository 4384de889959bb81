import { afterEach, describe, expect, it } from 'vitest';
import {
  GenericNack,
  RTCPeerConnection,
  RTCRtpHeaderExtensionParameters,
  RtcpTransportLayerFeedback,
  RtpHeader,
  type RtpPacket,
  useVP8,
} from 'werift';
import { answerOffer, PLAYOUT_DELAY } from '../../src/core/webrtc/peer.ts';
import { SentPackets } from '../../src/egress/webrtc/sent-packets.ts';
import { Viewer } from '../../src/egress/webrtc/viewer.ts';
import { until } from './support.ts';

const peers: RTCPeerConnection[] = [];
afterEach(async () => {
  await Promise.all(peers.splice(0).map((peer) => peer.close()));
});

/** A viewer that offers these header extensions, its receiver, and the packets that it gets. */
async function connect(uris: readonly string[]) {
  const offerer = new RTCPeerConnection({
    codecs: { video: [useVP8()], audio: [] },
    headerExtensions: { video: uris.map((uri) => new RTCRtpHeaderExtensionParameters({ uri })), audio: [] },
    iceAdditionalHostAddresses: ['127.0.0.1'],
  });
  peers.push(offerer);
  const transceiver = offerer.addTransceiver('video', { direction: 'recvonly' });
  const packets: RtpPacket[] = [];
  transceiver.onTrack.subscribe((track) => {
    track.onReceiveRtp.subscribe((packet) => void packets.push(packet));
  });
  await offerer.setLocalDescription(await offerer.createOffer());
  const options = { iceServers: [], additionalHosts: ['127.0.0.1'] };
  const { peer, answer, video, offer } = await answerOffer(offerer.localDescription!.sdp, 'view', options);
  peers.push(peer);
  const viewer = new Viewer(offer.codec, peer, video, undefined, () => {});
  await offerer.setRemoteDescription({ type: 'answer', sdp: answer });
  await until(() => viewer.connected && offerer.connectionState === 'connected', 10_000, 'the connection');
  return { viewer, packets, receiver: transceiver.receiver };
}

async function receive(uris: readonly string[]): Promise<RtpPacket[]> {
  const { viewer, packets } = await connect(uris);
  let ticks = 0;
  const timer = setInterval(() => {
    ticks += 3000;
    viewer.sendPicture([Uint8Array.of(0x10, 1, 2, 3)], ticks, true);
  }, 30);
  await until(() => packets.length >= 3, 10_000, 'three packets').finally(() => clearInterval(timer));
  return packets;
}

describe('a viewer', { timeout: 30_000 }, () => {
  it('is told to show pictures at once, where it understands that', async () => {
    for (const { header } of await receive([PLAYOUT_DELAY])) {
      expect(header.extensions).toHaveLength(1);
      const delays = header.extensions[0]!.payload.readUIntBE(0, 3);
      expect(delays >> 12, 'least').toBe(0);
      // With more a browser smooths again as soon as it holds pictures back for its sound.
      expect(delays & 0xfff, 'most').toBe(0);
    }
    for (const { header } of await receive([])) expect(header.extensions).toEqual([]);
  });

  it('gets packets again that went before hundreds of others, each once', async () => {
    const { viewer, packets, receiver } = await connect([]);
    const payloads = Array.from({ length: 400 }, (_, i) => Uint8Array.of(0x10, i >> 8, i & 0xff));
    // As many at once as a socket holds.
    for (let i = 0; i < 400; i += 50) {
      viewer.sendPicture(payloads.slice(i, i + 50), 3000 * i, true);
      await until(() => packets.length >= i + 50, 10_000, 'the pictures');
    }
    const numberOf = (i: number) => packets[i]!.header.sequenceNumber;
    const before = packets.splice(0, 400);
    const lost = [0, 5, 280, 399].map((i) => before[i]!.header.sequenceNumber);
    const { ssrc } = before[0]!.header;
    const nack = new GenericNack({ senderSsrc: receiver.rtcpSsrc, mediaSourceSsrc: ssrc, lost });
    await receiver.dtlsTransport.sendRtcp([new RtcpTransportLayerFeedback({ feedback: nack })]);
    await until(() => packets.length >= 4, 10_000, 'the lost packets');
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect(packets.map((_, i) => numberOf(i)).sort((a, b) => a - b)).toEqual(lost);
    for (const { header, payload } of packets)
      expect([...payload]).toEqual([...payloads[(header.sequenceNumber - lost[0]!) & 0xffff]!]);
  });
});

describe('the packets that were sent', () => {
  const sent = (numbers: readonly number[]) => {
    const packets = new SentPackets();
    for (const sequenceNumber of numbers)
      packets.add({ header: new RtpHeader({ sequenceNumber: sequenceNumber & 0xffff }), payload: Buffer.alloc(0) });
    return (lost: readonly number[]) => packets.toSendAgain(lost).map(({ header }) => header.sequenceNumber);
  };

  it('are found across the wrap of their numbers, but for those that werift finds', () => {
    const again = sent(Array.from({ length: 700 }, (_, i) => 65_200 + i));
    expect(again([65_400, 65_535, 65_536, 0, 200, 236, 65_899, 363])).toEqual([65_400, 65_535, 0, 0, 200, 363]);
    // Forgotten, never sent.
    expect(again([65_300, 500])).toEqual([]);
  });
});
