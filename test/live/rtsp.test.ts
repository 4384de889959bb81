import { type ChildProcess, execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { RawFrame } from '../../src/core/video-frame.ts';
import { openRtspSink } from '../../src/egress/rtsp/rtsp-sink.ts';
import { openRtspSource } from '../../src/ingest/rtsp/rtsp-source.ts';
import {
  ended,
  freePort,
  has,
  makeClip,
  poolFor,
  sealFlat,
  startRtspServer,
  temporaryFolder,
  until,
} from './support.ts';

const ready = has('/usr/bin/python3', '-c', 'import gi; gi.require_version("GstRtspServer", "1.0")');

describe.skipIf(!ready)('RTSP (needs gir1.2-gst-rtsp-server-1.0 and python3-gi)', { timeout: 60_000 }, () => {
  const folder = temporaryFolder();
  const clip = join(folder, 'clip.mkv');
  const recording = join(folder, 'published.ts');
  let port = 0;
  let server: ChildProcess;

  beforeAll(async () => {
    makeClip(clip, 20);
    port = await freePort();
    server = await startRtspServer(port, clip, recording);
  });
  afterAll(async () => {
    server.kill('SIGKILL');
    await ended(server);
  });

  it('reads a camera, keeps the newest pictures and drops the rest when the pipeline is slow', async () => {
    const source = await openRtspSource(`rtsp://127.0.0.1:${port}/cam`, { inFlight: 2 });
    expect(source.info.format).toMatchObject({ width: 320, height: 240 });
    const times: number[] = [];
    let held: RawFrame[] = [];
    source.frames.subscribe((frame) => {
      times.push(frame.timestampUs);
      held.push(frame);
      expect(held.length).toBeLessThanOrEqual(2);
      setTimeout(() => {
        held = held.filter((f) => f !== frame);
        frame.close();
      }, 150);
    });
    await until(() => times.length >= 20, 15_000, '20 frames');
    await source.close();
    expect(source.counts.dropped).toBeGreaterThan(5);
    for (let i = 1; i < times.length; i++) expect(times[i]!).toBeGreaterThan(times[i - 1]!);
  });

  it('sends veiled frames while the camera is away and goes on when it is back', async () => {
    const lone = await freePort();
    let camera = await startRtspServer(lone, clip, '-', true);
    const warnings: string[] = [];
    const source = await openRtspSource(`rtsp://user:pass@127.0.0.1:${lone}/cam`, {
      onWarning: (sentence) => warnings.push(sentence),
    });
    const seen: { damaged: boolean; luma: number }[] = [];
    source.frames.subscribe((frame) => {
      seen.push({ damaged: frame.damaged, luma: new Uint8Array(frame.slot.memory)[1000]! });
      frame.close();
    });
    try {
      await until(() => seen.some((s) => !s.damaged), 10_000, 'a picture');
      camera.kill('SIGKILL');
      await ended(camera);
      const before = seen.length;
      await until(() => seen.slice(before).filter((s) => s.damaged && s.luma === 128).length >= 3, 10_000, 'blanks');
      camera = await startRtspServer(lone, clip, '-', true);
      const away = seen.length;
      await until(() => seen.slice(away).some((s) => !s.damaged), 20_000, 'pictures again');
      expect(source.reconnects).toBeGreaterThan(0);
      expect(warnings.join()).not.toContain('pass@');
    } finally {
      await source.close();
      camera.kill('SIGKILL');
      await ended(camera);
    }
  });

  it('names what is wrong with an address in one sentence without the password', async () => {
    const failure = (url: string) =>
      openRtspSource(url, { openMs: 8000 }).then(
        () => 'opened',
        (error: Error) => error.message,
      );
    expect(await failure(`rtsp://127.0.0.1:${port}/nothing`)).toMatch(/has no such stream$/);
    const locked = await freePort();
    const guarded = await startRtspServer(locked, clip, '-', true);
    const refused = await failure(`rtsp://user:wrong@127.0.0.1:${locked}/cam`);
    guarded.kill('SIGKILL');
    await ended(guarded);
    expect(refused).toBe(`rtsp://127.0.0.1:${locked}/cam refused the user name or password`);
    expect(await failure(`rtsp://127.0.0.1:${await freePort()}/cam`)).toMatch(/refused the connection$/);
    expect(await failure('rtsp://user:pw@no-such-host.invalid/cam')).toBe(
      'the host of rtsp://no-such-host.invalid/cam cannot be found',
    );
  });

  it('publishes to a server that accepts RECORD', async () => {
    const sink = await openRtspSink(`rtsp://127.0.0.1:${port}/anon`);
    const format = { width: 320, height: 240, colour: { matrix: 'bt601', range: 'limited' } } as const;
    const pool = poolFor(format);
    for (let i = 0; i < 75; i++) {
      const frame = sealFlat({ sequence: i, timestampUs: i * 40_000, format }, pool, 200);
      if (frame) await sink.write(frame);
      await new Promise((resolve) => setTimeout(resolve, 40));
    }
    await sink.finish();
    expect(pool.inUse).toBe(0);
    expect(sink.written).toBeGreaterThan(60);
    await new Promise((resolve) => setTimeout(resolve, 500));
    const stats = execFileSync('ffprobe', [
      ...['-v', 'error', '-count_frames', '-select_streams', 'v:0', '-show_entries', 'stream=width,nb_read_frames'],
      ...['-of', 'csv=p=0', recording],
    ]).toString();
    const [width, count] = stats.trim().split(/[,\n]/).map(Number);
    expect(width).toBe(320);
    expect(count).toBeGreaterThan(40);
  });

  it('drops and counts frames while nobody listens, and never fails the stream', async () => {
    const warnings: string[] = [];
    const sink = await openRtspSink(`rtsp://user:pw@127.0.0.1:${await freePort()}/anon`, {
      onWarning: (sentence) => warnings.push(sentence),
    });
    const format = { width: 64, height: 64, colour: { matrix: 'bt601', range: 'limited' } } as const;
    const pool = poolFor(format);
    for (let i = 0; i < 20; i++) {
      const frame = sealFlat({ sequence: i, timestampUs: i * 40_000, format }, pool, 200);
      if (frame) await sink.write(frame);
      await new Promise((resolve) => setTimeout(resolve, 40));
    }
    await sink.abort();
    expect(sink.dropped).toBeGreaterThan(0);
    expect(pool.inUse).toBe(0);
    expect(warnings.join()).not.toContain('pw@');
  });
});
