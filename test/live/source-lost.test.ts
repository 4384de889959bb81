import { type ChildProcess, execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { OnSourceLost } from '../../src/ingest/live/live-source.ts';
import { openPacedFileSource } from '../../src/ingest/live/paced-file-source.ts';
import { openRtspSource } from '../../src/ingest/rtsp/rtsp-source.ts';
import { framesInFlight } from '../../src/pipeline/live-addresses.ts';
import { EngineUnderTest, type KeepingSink, type Running, startRun } from './fault-run.ts';
import { FaceSearch, framesOf, isVeiled, personClip } from './people.ts';
import { ended, freePort, has, startRtspServer, temporaryFolder, until } from './support.ts';

const PATIENCE_MS = 60_000;
const rtsp = has('/usr/bin/python3', '-c', 'import gi; gi.require_version("GstRtspServer", "1.0")');

/** The person of the clip is in none of the frames that left. */
describe('a live source', { timeout: 180_000 }, () => {
  const folder = temporaryFolder();
  const clip = join(folder, 'anna.mkv');
  const running: Running[] = [];
  const cameras: ChildProcess[] = [];
  let search: FaceSearch;
  let anna: Float32Array[];
  let under: EngineUnderTest;

  beforeAll(async () => {
    personClip('anna', clip, '480x360', 10);
    const long = ['-stream_loop', '19', '-i', clip, '-c', 'copy', join(folder, 'long.mkv')];
    execFileSync('ffmpeg', ['-v', 'error', '-y', ...long]);
    search = await FaceSearch.create();
    anna = await search.person(clip);
    expect((await search.search(framesOf(clip, 10), anna)).matches).toBeGreaterThan(3);
    under = await EngineUnderTest.start();
  });
  afterEach(async () => {
    await Promise.all(running.splice(0).map((run) => run.stop()));
    for (const camera of cameras.splice(0)) camera.kill('SIGKILL');
  });
  afterAll(() => under?.close());

  const camera = async (port: number, path = join(folder, 'long.mkv')) => {
    const server = await startRtspServer(port, path);
    cameras.push(server);
    return server;
  };
  const start = (source: Running['source'], lookahead = 0) => {
    const run = startRun(under.engine, source, 1, lookahead);
    running.push(run);
    return run;
  };
  /** All frames that have left since the last call, once so many of them are of a kind. */
  const clean = async (sink: KeepingSink, count: number, kind: 'composed' | 'veiled') => {
    const enough = () => sink.frames.filter((frame) => frame.kind === kind).length >= count;
    await until(enough, PATIENCE_MS, `${count} ${kind} frames (${sink.frames.length} frames)`);
    return checked(sink);
  };
  const checked = async (sink: KeepingSink) => {
    const frames = sink.take();
    for (const frame of frames) if (frame.kind === 'veiled') expect(isVeiled(frame)).toBe(true);
    const seen = await search.search(frames, anna);
    expect(seen.matches, `best cosine ${seen.best}`).toBe(0);
    return { frames, seen };
  };

  describe.skipIf(!rtsp)('that goes away (needs gir1.2-gst-rtsp-server-1.0 and python3-gi)', () => {
    const lost = async (onSourceLost: OnSourceLost, lookaheadFrames = 0) => {
      const port = await freePort();
      const server = await camera(port);
      const inFlight = framesInFlight({ lookaheadFrames });
      const options = { onSourceLost, stallMs: 2000, inFlight };
      const run = start(await openRtspSource(`rtsp://127.0.0.1:${port}/cam`, options), lookaheadFrames);
      await clean(run.sink, 5, 'composed');
      server.kill('SIGKILL');
      await ended(server);
      return { run, port };
    };

    it('veil: leaves veiled frames until it is back', async () => {
      const { run, port } = await lost('veil');
      await clean(run.sink, 8, 'veiled');
      const { frames } = await clean(run.sink, 8, 'veiled');
      expect(frames.every((frame) => frame.kind === 'veiled')).toBe(true);
      await camera(port);
      expect((await clean(run.sink, 8, 'composed')).seen.withFace).toBeGreaterThan(0);
    });

    it.each([0, 2])(
      'freeze-veiled: leaves a veiled frame, then nothing until it is back (%i held back)',
      async (held) => {
        const { run, port } = await lost('freeze-veiled', held);
        const silent = () => performance.now() - (run.sink.frames.at(-1)?.atMs ?? Number.POSITIVE_INFINITY) > 3000;
        await until(silent, PATIENCE_MS, 'silence');
        expect((await checked(run.sink)).frames.at(-1)?.kind).toBe('veiled');
        await camera(port);
        expect((await clean(run.sink, 8, 'composed')).seen.withFace).toBeGreaterThan(0);
      },
    );

    it('stop: ends the stream after its last frame and says why', async () => {
      const { run } = await lost('stop');
      const { sourceError } = await run.done;
      expect(sourceError).toMatchObject({ message: 'the live input ended', exitCode: 4 });
      await checked(run.sink);
    });
  });

  it.skipIf(!rtsp)('is read by UDP, and in H.265', async () => {
    const port = await freePort();
    await camera(port);
    const udp = start(await openRtspSource(`rtsp://127.0.0.1:${port}/cam`, { transport: 'udp' }));
    expect((await clean(udp.sink, 8, 'composed')).seen.withFace).toBeGreaterThan(0);
    await udp.stop();
    const hevc = join(folder, 'hevc.mkv');
    const coding = ['-c:v', 'libx265', '-preset', 'ultrafast', '-x265-params', 'log-level=none:bframes=0:keyint=10'];
    execFileSync('ffmpeg', ['-v', 'error', '-y', '-stream_loop', '9', '-i', clip, ...coding, hevc]);
    const launch = `/hevc=filesrc location=${hevc} ! matroskademux ! h265parse config-interval=-1 ! rtph265pay name=pay0 pt=96`;
    const other = await freePort();
    cameras.push(await startRtspServer(other, clip, '-', false, undefined, [launch]));
    const run = start(await openRtspSource(`rtsp://127.0.0.1:${other}/hevc`));
    expect((await clean(run.sink, 8, 'composed')).seen.withFace).toBeGreaterThan(0);
  });

  it('is held back by its look-ahead, in order, and by no more frames than it has', async () => {
    const youngestMs: number[] = [];
    for (const lookaheadFrames of [0, 1, 5]) {
      const inFlight = framesInFlight({ lookaheadFrames });
      const run = start(await openPacedFileSource(clip, { loop: true, inFlight }), lookaheadFrames);
      await until(() => run.sink.frames.some((frame) => frame.kind === 'composed'), PATIENCE_MS, 'a frame');
      const ages: number[] = [];
      // Pictures come every 100 ms. On a busy machine it takes a while until one is through at once.
      const hurried = () => ages.length >= 15 && (lookaheadFrames > 0 || Math.min(...ages) < 400);
      for (let i = 0; i < 150 && !hurried(); i++) {
        const before = run.sink.frames.length;
        await until(() => run.sink.frames.length > before, PATIENCE_MS, 'the next frame');
        ages.push((run.source.elapsedUs - run.sink.frames.at(-1)!.timestampUs) / 1000);
      }
      const { frames, seen } = await checked(run.sink);
      expect(seen.withFace).toBeGreaterThan(0);
      const times = frames.map((frame) => frame.timestampUs);
      expect(times).toEqual([...times].sort((a, b) => a - b));
      youngestMs.push(Math.min(...ages));
      await run.stop();
      running.splice(0);
    }
    expect(youngestMs[0]!).toBeLessThan(400);
    expect(youngestMs[1]!).toBeGreaterThan(60);
    expect(youngestMs[2]!).toBeGreaterThan(450);
  });
});
