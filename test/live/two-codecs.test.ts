import { join } from 'node:path';
import { expect, it } from 'vitest';
import { decoded } from './decoded.ts';
import { childrenWith } from './processes.ts';
import { RtpPublisher } from './rtp-publisher.ts';
import { ServeProcess } from './serve-process.ts';
import { eventually, makeClip, temporaryFolder, until } from './support.ts';
import { WhepViewer } from './whep-viewer.ts';

const PATIENCE_MS = 30_000;

it('gives each viewer of a stream the codec that it asks for, from one encoder for each codec', {
  timeout: 120_000,
}, async () => {
  const clip = join(temporaryFolder(), 'clip.mkv');
  makeClip(clip, 4, '320x240', 15);
  const server = await ServeProcess.start({ mode: 'mask', serve: { streams: { live: {} } } });
  const url = `${server.base}/live`;
  const publisher = await RtpPublisher.start({ clip, codec: 'vp8', url: `${url}/whip` });
  const published = async () => (await server.metric('frames_total', 'stream="live"')) > 0;
  await eventually(published, PATIENCE_MS, 'frames');
  const codecs = ['vp8', 'h264', 'vp8', 'h264'] as const;
  const viewers = await Promise.all(codecs.map((codec) => WhepViewer.watch(`${url}/whep`, { codec })));
  /** The server's encoders; a decoder of VP8 has another name. */
  const encoders = () => ['libvpx', 'libx264'].map((name) => childrenWith(name, server.child.pid).length);
  try {
    const markers = ({ video }: WhepViewer) => video.filter(({ packet }) => packet.header.marker).length;
    await until(() => viewers.every((viewer) => markers(viewer) > 15), PATIENCE_MS, 'pictures for all');
    expect(encoders()).toEqual([1, 1]);
    for (const [i, { video }] of viewers.entries()) {
      const seen = decoded(
        video.map(({ packet }) => packet),
        codecs[i]!,
      );
      expect(seen, codecs[i]).toMatchObject({ frames: seen.pictures, complaints: '' });
      expect(seen.pictures, codecs[i]).toBeGreaterThan(10);
    }
    // With its last viewer an encoder ends, and the others go on.
    await Promise.all(viewers.filter((_, i) => codecs[i] === 'h264').map((viewer) => viewer.close()));
    for (const { session } of viewers.filter((_, i) => codecs[i] === 'h264'))
      await fetch(server.base + session.location, { method: 'DELETE' });
    await until(() => encoders().join() === '1,0', PATIENCE_MS, 'the encoder of H.264 to end');
    const before = markers(viewers[0]!);
    await until(() => markers(viewers[0]!) > before + 5, PATIENCE_MS, 'pictures for who stays');
  } finally {
    await Promise.all([...viewers, publisher].map((peer) => peer.close()));
    expect(await server.stop()).toBe(0);
  }
});
