import { afterEach, describe, expect, it } from 'vitest';
import { RTCPeerConnection, RTCRtpHeaderExtensionParameters, type RtpPacket, useVP8 } from 'werift';
import { answerOffer, PLAYOUT_DELAY } from '../../src/core/webrtc/peer.ts';
import { Viewer } from '../../src/egress/webrtc/viewer.ts';
import { until } from './support.ts';

const peers: RTCPeerConnection[] = [];
afterEach(async () => {
  await Promise.all(peers.splice(0).map((peer) => peer.close()));
});

/** The packets that a viewer gets which offers these header extensions. */
async function receive(uris: readonly string[]): Promise<RtpPacket[]> {
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
  await until(() => viewer.connected, 10_000, 'the connection');
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
});
