import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { decoded } from './decoded.ts';
import { RtpPublisher } from './rtp-publisher.ts';
import { ServeProcess } from './serve-process.ts';
import { eventually, makeClip, temporaryFolder, until } from './support.ts';
import { WhepViewer } from './whep-viewer.ts';

const PATIENCE_MS = 30_000;
/** Of luma, in a picture of one grey that was coded. */
const FLAT = 8;

it('shows veiled frames to who watches before there is a publisher, and when he has left', {
  timeout: 120_000,
}, async () => {
  const folder = temporaryFolder();
  const [clip, recordings] = [join(folder, 'clip.mkv'), join(folder, 'recordings')];
  makeClip(clip, 2, '320x240', 15);
  const server = await ServeProcess.start({ mode: 'mask', serve: { streams: { live: { recordTo: recordings } } } });
  const viewer = await WhepViewer.watch(`${server.base}/live/whep`);
  const veiled = () => server.metric('frames_veiled_total', 'stream="live",reason="start-up"');
  /** What comes from now on, once there are so many pictures. */
  const seen = async (count: number) => {
    const from = viewer.video.length;
    const pictures = () => viewer.video.slice(from).filter(({ packet }) => packet.header.marker).length;
    await until(() => pictures() >= count, PATIENCE_MS, `${count} pictures`);
    return viewer.video.map(({ packet }) => packet);
  };
  try {
    const waiting = decoded(await seen(4), 'vp8');
    expect(waiting.frames).toBeGreaterThanOrEqual(4);
    expect(waiting.contrast).toBeLessThan(FLAT);
    expect(await veiled()).toBeGreaterThanOrEqual(4);
    // Nobody wants to keep that.
    expect(readdirSync(folder)).not.toContain('recordings');

    const before = viewer.video.length;
    const publisher = await RtpPublisher.start({ clip, codec: 'vp8', url: `${server.base}/live/whip` });
    await seen(20);
    const shown = viewer.video.slice(before).map(({ packet }) => packet);
    expect(decoded(shown, 'vp8').contrast).toBeGreaterThan(50);
    const [startUp] = [await veiled()];
    await publisher.close();
    await fetch(server.base + publisher.session.location, { method: 'DELETE' });
    await eventually(async () => (await veiled()) >= startUp + 4, PATIENCE_MS, 'veiled frames');
    expect(readdirSync(recordings).length).toBeGreaterThan(0);
  } finally {
    await viewer.close();
    expect(await server.stop()).toBe(0);
  }
});
