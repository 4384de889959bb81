import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { expectInSync, flashClip, skews, streamsOf } from './flash.ts';
import { RtpPublisher } from './rtp-publisher.ts';
import { ServeProcess } from './serve-process.ts';
import { temporaryFolder, until } from './support.ts';
import { UdpReceiver } from './udp-receiver.ts';
import { WhepViewer } from './whep-viewer.ts';

it('serve passes the sound of a configured source to viewers, further outputs and recordings', async () => {
  const folder = temporaryFolder();
  const clip = join(folder, 'flash.mkv');
  flashClip(clip, 20, 'alaw');
  const udp = await UdpReceiver.open();
  const server = await ServeProcess.start({
    serve: {
      streams: {
        camera: { source: clip, outputs: [`udp://127.0.0.1:${udp.port}`], recordTo: join(folder, 'recorded') },
      },
    },
  });
  try {
    const viewer = await WhepViewer.watch(`${server.base}/camera/whep`);
    await until(() => viewer.video.length > 30 && viewer.audio.length > 30, 60_000, 'pictures and sound');
    await new Promise((resolve) => setTimeout(resolve, 9000));
    await viewer.close();
    expect(await server.stop()).toBe(0);
    await udp.close(join(folder, 'udp.ts'));
    const [segment] = readdirSync(join(folder, 'recorded'));
    const files = [join(folder, 'udp.ts'), join(folder, 'recorded', segment!)];
    for (const path of files) expect(streamsOf(path), path).toEqual(['audio aac', 'video h264']);
    for (const found of [viewer.skews(), ...files.map(skews)]) expectInSync(found);
  } finally {
    server.child.kill('SIGKILL');
  }
});

it('serve passes the sound of a WHIP publisher to viewers, further outputs and recordings', async () => {
  const folder = temporaryFolder();
  const clip = join(folder, 'flash.mkv');
  flashClip(clip, 20, 'opus');
  const udp = await UdpReceiver.open();
  const outputs = { outputs: [`udp://127.0.0.1:${udp.port}`], recordTo: join(folder, 'recorded') };
  const server = await ServeProcess.start({ serve: { streams: { call: outputs } } });
  try {
    const viewer = await WhepViewer.watch(`${server.base}/call/whep`);
    const publisher = await RtpPublisher.start({ clip, codec: 'vp8', url: `${server.base}/call/whip`, sound: true });
    await until(() => viewer.video.length > 30 && viewer.audio.length > 30, 60_000, 'pictures and sound');
    await new Promise((resolve) => setTimeout(resolve, 9000));
    const heard = viewer.audio.length;
    await publisher.close();
    await viewer.close();
    for (const reason of ['queue', 'encoder']) {
      const labels = `stream="call",reason="${reason}"`;
      expect(await server.metric('sound_packets_dropped_total', labels), reason).toBe(0);
    }
    expect(await server.stop()).toBe(0);
    await udp.close(join(folder, 'udp.ts'));
    const [segment] = readdirSync(join(folder, 'recorded'));
    const [stream, recording] = [join(folder, 'udp.ts'), join(folder, 'recorded', segment!)];
    expect(heard).toBeGreaterThan(400);
    expect(streamsOf(stream)).toEqual(['audio aac', 'video h264']);
    expect(streamsOf(recording)).toEqual(['audio opus', 'video h264']);
    const all = [viewer.skews(), skews(stream), skews(recording)];
    for (const found of all) expectInSync(found);
  } finally {
    server.child.kill('SIGKILL');
  }
});

it('serve leaves the sound of a WHIP publisher out where the settings drop it', async () => {
  const folder = temporaryFolder();
  const clip = join(folder, 'flash.mkv');
  flashClip(clip, 20, 'opus');
  const udp = await UdpReceiver.open();
  const streams = { call: { outputs: [`udp://127.0.0.1:${udp.port}`] } };
  const server = await ServeProcess.start({ serve: { audio: 'drop', streams } });
  try {
    const viewer = await WhepViewer.watch(`${server.base}/call/whep`);
    const publisher = await RtpPublisher.start({ clip, codec: 'vp8', url: `${server.base}/call/whip`, sound: true });
    await until(() => viewer.video.length > 60, 60_000, 'pictures');
    expect(viewer.audio).toEqual([]);
    await publisher.close();
    await viewer.close();
    expect(await server.stop()).toBe(0);
    await udp.close(join(folder, 'udp.ts'));
    expect(streamsOf(join(folder, 'udp.ts'))).toEqual(['video h264']);
  } finally {
    server.child.kill('SIGKILL');
  }
});
