import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { isVp8Key } from '../../src/core/rtp-vp8.ts';
import { ServeProcess } from './serve-process.ts';
import { eventually, temporaryFolder, until } from './support.ts';
import { WhepViewer } from './whep-viewer.ts';

const PATIENCE_MS = 30_000;
let server: ServeProcess;

beforeAll(async () => {
  const clip = join(temporaryFolder(), 'noise.mkv');
  // Takes whatever bit rate there is.
  const noise = ['-f', 'lavfi', '-i', 'color=gray:s=320x240:r=15:d=4', '-vf', 'noise=alls=24:allf=t,format=yuv420p'];
  execFileSync('ffmpeg', [
    '-v',
    'error',
    '-y',
    ...noise,
    '-c:v',
    'libx264',
    '-preset',
    'ultrafast',
    '-crf',
    '20',
    clip,
  ]);
  server = await ServeProcess.start({ mode: 'mask', serve: { streams: { camera: { source: clip } } } });
});
afterAll(async () => {
  expect(await server?.stop()).toBe(0);
});

it('answers PLI and FIR with a key picture, follows the viewer’s estimate, and sends away who takes next to nothing', {
  timeout: 180_000,
}, async () => {
  const viewer = await WhepViewer.watch(`${server.base}/camera/whep`);
  const other = await WhepViewer.watch(`${server.base}/camera/whep`);
  try {
    /** First packets of key pictures; the descriptor is four bytes, its first flag S the start. */
    const keys = () =>
      viewer.video.filter(({ packet: { payload } }) => (payload[0]! & 0x10) > 0 && isVp8Key(payload.subarray(4)))
        .length;
    await until(() => keys() > 0 && other.video.length > 0, PATIENCE_MS, 'pictures');
    for (const ask of ['pli', 'fir'] as const) {
      await new Promise((resolve) => setTimeout(resolve, 1500));
      const before = keys();
      await viewer.ask(ask);
      await until(() => keys() > before, PATIENCE_MS, `a key picture after ${ask}`);
    }
    const kbps = async () => {
      const before = viewer.video.length;
      await new Promise((resolve) => setTimeout(resolve, 4000));
      return viewer.video.slice(before).reduce((sum, { packet }) => sum + packet.payload.length * 8, 0) / 4000;
    };
    // Without an estimate the middle one of three rungs.
    const full = await kbps();
    expect(full).toBeGreaterThan(500);
    const estimates = setInterval(() => void viewer.estimate(500_000), 500);
    const fell = async () => (await kbps()) < 0.8 * full;
    await eventually(fell, PATIENCE_MS, `less than ${full.toFixed()} kbit/s`).finally(() => clearInterval(estimates));
    // Less than serve.minBitrateKbps, which a browser also says to pictures that come unevenly, while it gets every one.
    let suffers = false;
    const tiny = setInterval(() => {
      void other.estimate(50_000);
      if (suffers) void other.lost(0.2);
    }, 500);
    await new Promise((resolve) => setTimeout(resolve, 14_000));
    expect(await server.metric('viewers', 'stream="camera"')).toBe(2);
    suffers = true;
    const gone = async () => server.log.includes('it takes less than serve.minBitrateKbps');
    await eventually(gone, PATIENCE_MS, 'the slow viewer to be sent away').finally(() => clearInterval(tiny));
    expect(await server.metric('viewers', 'stream="camera"')).toBe(1);
    const received = viewer.video.length;
    await until(() => viewer.video.length > received + 20, PATIENCE_MS, 'pictures for the one who stays');

    const counted = async (name: string, labels: string) => expect(await server.metric(name, labels), name);
    (await counted('fps', 'stream="camera",direction="in"')).toBeGreaterThan(1);
    (await counted('fps', 'stream="camera",direction="out"')).toBeGreaterThan(0.2);
    (await counted('pictures_total', 'stream="camera"')).toBeGreaterThan(50);
    (await counted('frames_total', 'stream="camera"')).toBeGreaterThan(20);
    (await counted('glass_to_glass_ms_count', 'stream="camera"')).toBeGreaterThan(20);
    const mean =
      (await server.metric('glass_to_glass_ms_sum', 'stream="camera"')) /
      (await server.metric('glass_to_glass_ms_count', 'stream="camera"'));
    expect(mean).toBeGreaterThan(1);
    // To the encoders only, which come after.
    const added =
      (await server.metric('added_latency_ms_sum', 'stream="camera"')) /
      (await server.metric('added_latency_ms_count', 'stream="camera"'));
    expect(mean).toBeGreaterThan(added);
  } finally {
    await Promise.all([viewer.close(), other.close()]);
  }
});
