import { once } from 'node:events';
import { expect, it } from 'vitest';
import { MediaStreamTrack, RTCPeerConnection, useVP8 } from 'werift';
import { BlankSource } from '../../src/ingest/live/blank-source.ts';
import { startServer } from '../../src/server/server.ts';

it('lets nobody publish who was still arriving when the settings named a source', async () => {
  const server = await startServer(
    {
      ...{ http: { host: '127.0.0.1', port: 0 }, iceServers: [], additionalHosts: ['127.0.0.1'], rungsKbps: [400] },
      ...{ minKbps: 1, inFlight: 1, passAudio: true, log: () => {}, streams: { camera: {} } },
    },
    async ({ stop }) => {
      if (!stop.aborted) await once(stop, 'abort');
    },
  );
  const stream = server.streams.get('camera')!;
  const peer = new RTCPeerConnection({ codecs: { video: [useVP8()], audio: [] } });
  peer.addTransceiver(new MediaStreamTrack({ kind: 'video' }), { direction: 'sendonly' });
  await peer.setLocalDescription(await peer.createOffer());
  const publishing = stream.publish(peer.localDescription!.sdp);
  stream.fed = true;
  const feeding = stream.feed(
    new BlankSource({ width: 64, height: 48, colour: { matrix: 'bt601', range: 'limited' } }),
  );
  await expect(publishing).rejects.toMatchObject({ status: 409 });
  expect([stream.sessions.size, stream.publishing]).toEqual([0, true]);
  await server.close();
  await feeding;
  expect(stream.publishing).toBe(false);
  await peer.close();
});
