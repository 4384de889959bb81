import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import type { Worker } from 'node:worker_threads';
import { from } from 'rxjs';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { FramePool } from '../../src/core/frame-pool.ts';
import { planeLayout, RawFrame } from '../../src/core/video-frame.ts';
import { openPacedFileSource } from '../../src/ingest/live/paced-file-source.ts';
import { openRtspSource } from '../../src/ingest/rtsp/rtsp-source.ts';
import { runStream } from '../../src/pipeline/stream.ts';
import { demoPhoto } from '../support/demo-photo.ts';
import { EngineUnderTest, KeepingSink, type Role, type Running, spoiltModels, startRun } from './fault-run.ts';
import { FaceSearch, framesOf, isVeiled, personClip } from './people.ts';
import { ended, freePort, has, startRtspServer, temporaryFolder, until } from './support.ts';

const PATIENCE_MS = 60_000;
const rtsp = has('/usr/bin/python3', '-c', 'import gi; gi.require_version("GstRtspServer", "1.0")');
/** An exception that nobody catches ends the thread, between native calls: inside one it would take the process with it. */
const kill = (worker: Worker) => worker.postMessage(null);

/** Every test looks at all frames that left: the person of the clip is in none of them. */
describe('faults while a stream runs', { timeout: 180_000 }, () => {
  const clip = join(temporaryFolder(), 'anna.mkv');
  const running: Running[] = [];
  let search: FaceSearch;
  let anna: Float32Array[];
  let shared: EngineUnderTest | undefined;

  beforeAll(async () => {
    personClip('anna', clip, '480x360', 10);
    search = await FaceSearch.create();
    anna = await search.person(clip);
    expect((await search.search(framesOf(clip, 10), anna)).matches).toBeGreaterThan(3);
    shared = await EngineUnderTest.start();
  });
  afterEach(async () => {
    await Promise.all(running.splice(0).map((run) => run.stop()));
  });
  afterAll(() => shared?.close());

  const start = async (under = shared!, streamId = 1): Promise<Running> => {
    const run = startRun(under.engine, await openPacedFileSource(clip, { loop: true }), streamId);
    running.push(run);
    return run;
  };
  /**
   * Waits until so many more frames of a kind have left, counted from now: while the last ones were searched others came.
   * All that left since the last call are then searched.
   */
  const clean = async (sink: KeepingSink, count: number, kind: 'composed' | 'veiled') => {
    const left = () => sink.frames.filter((frame) => frame.kind === kind).length;
    const before = left();
    await until(() => left() - before >= count, PATIENCE_MS, `${count} ${kind} frames (${sink.frames.length} frames)`);
    const frames = sink.take();
    for (const frame of frames) if (frame.kind === 'veiled') expect(isVeiled(frame)).toBe(true);
    const seen = await search.search(frames, anna);
    expect(seen.matches, `best cosine ${seen.best}`).toBe(0);
    return { frames, seen };
  };

  /**
   * Kills a worker. Frames that are with it then, and those that come before another one has started, are veiled. Where frames come
   * slowly there may be none: then it is killed once more.
   */
  const veiledWithout = async (role: Role, sink: KeepingSink) => {
    for (let attempt = 0; attempt < 5; attempt++) {
      await shared!.replace(role, kill);
      const { frames } = await clean(sink, 10, 'composed');
      if (frames.some((frame) => frame.kind === 'veiled')) return;
    }
    expect.unreachable(`no frame was veiled without ${role}`);
  };

  it('veils while the analysis worker is gone, and goes on', async () => {
    const { sink } = await start();
    await clean(sink, 5, 'composed');
    await veiledWithout('analysis', sink);
    expect((await clean(sink, 5, 'composed')).seen.withFace).toBeGreaterThan(0);
  });

  it('covers the face while the generator is gone, and goes on', async () => {
    const { sink } = await start();
    await clean(sink, 5, 'composed');
    await shared!.replace('generator', kill);
    await clean(sink, 15, 'composed');
    expect((await clean(sink, 5, 'composed')).seen.withFace).toBeGreaterThan(0);
  });

  it('veils when the GL context is lost and when its worker dies, and goes on with a new one', async () => {
    const { sink } = await start();
    await clean(sink, 5, 'composed');
    await shared!.replace('GL', (gl) => gl.postMessage({ id: 1e9, body: { kind: 'drop-context' } }));
    const lost = await clean(sink, 5, 'composed');
    expect(lost.frames.some((frame) => frame.kind === 'veiled')).toBe(true);
    await veiledWithout('GL', sink);
    expect((await clean(sink, 5, 'composed')).seen.withFace).toBeGreaterThan(0);
  });

  it.skipIf(!rtsp)('veils while an RTSP camera stands still for ten seconds, and goes on', async () => {
    const long = join(temporaryFolder(), 'long.mkv');
    execFileSync('ffmpeg', ['-v', 'error', '-y', '-stream_loop', '19', '-i', clip, '-c', 'copy', long]);
    const port = await freePort();
    const camera = await startRtspServer(port, long);
    try {
      const source = await openRtspSource(`rtsp://127.0.0.1:${port}/cam`);
      const run = startRun(shared!.engine, source);
      running.push(run);
      await clean(run.sink, 5, 'composed');
      camera.kill('SIGSTOP');
      await clean(run.sink, 5, 'veiled');
      await new Promise((resolve) => setTimeout(resolve, 8000));
      const { frames } = await clean(run.sink, 5, 'veiled');
      expect(frames.every((frame) => frame.kind === 'veiled')).toBe(true);
      // Taken for dead after five seconds.
      expect(source.reconnects).toBeGreaterThan(0);
      camera.kill('SIGCONT');
      expect((await clean(run.sink, 8, 'composed')).seen.withFace).toBeGreaterThan(0);
    } finally {
      camera.kill('SIGKILL');
      await ended(camera);
    }
  });

  it('drops, in order and without growing latency, when frames leave ten times too slowly', async () => {
    const { source, sink } = await start();
    await clean(sink, 3, 'composed');
    sink.delayMs = 1000;
    const ages: number[] = [];
    const times: number[] = [];
    for (let i = 0; i < 12; i++) {
      const before = sink.frames.length;
      await until(() => sink.frames.length > before, PATIENCE_MS, 'a frame');
      const { timestampUs } = sink.frames.at(-1)!;
      ages.push(source.elapsedUs - timestampUs);
      times.push(timestampUs);
    }
    const { frames } = await clean(sink, 10, 'composed');
    expect(frames.map((f) => f.timestampUs)).toEqual(frames.map((f) => f.timestampUs).sort((a, b) => a - b));
    expect(source.counts.dropped).toBeGreaterThan(30);
    // Were the frames queued, the last would be about nine seconds older than the sixth.
    expect(Math.max(...ages.slice(9)) - Math.max(...ages.slice(3, 6))).toBeLessThan(3e6);
    sink.delayMs = 0;
  });

  it('gives each of two streams at once its own faces', async () => {
    const other = join(temporaryFolder(), 'bea.mkv');
    personClip('bea', other, '480x360', 10);
    const bea = await search.person(other);
    const first = await start(shared!, 2);
    const second = startRun(shared!.engine, await openPacedFileSource(other, { loop: true }), 3);
    running.push(second);
    await until(() => first.sink.frames.length > 15 && second.sink.frames.length > 15, PATIENCE_MS, 'frames of both');
    const [ofAnna, ofBea] = [first.sink.take(), second.sink.take()];
    for (const person of [anna, bea]) {
      expect((await search.search(ofAnna, person)).matches).toBe(0);
      expect((await search.search(ofBea, person)).matches).toBe(0);
    }
    expect((await search.search(ofAnna, anna)).withFace).toBeGreaterThan(5);
    expect((await search.search(ofBea, bea)).withFace).toBeGreaterThan(5);
  });

  it('covers in a recording whom an analysis knew that was started again, though he is not seen at once', async () => {
    const { planes, format } = demoPhoto(1);
    const { byteLength, cbOffset } = planeLayout(format.width, format.height);
    const wall = new Uint8Array(byteLength).fill(128).fill(60, 0, cbOffset);
    /** @returns for each frame, how many of its pixels are not the wall's */
    const film = async (end: () => Promise<void>) => {
      const pool = new FramePool(byteLength, 6);
      const sink = new KeepingSink();
      async function* pictures() {
        for (let sequence = 0; sequence < 6; sequence++) {
          if (sequence === 3) {
            await until(() => sink.frames.length === 3, PATIENCE_MS, 'three frames');
            await end();
          }
          const slot = await pool.acquire();
          new Uint8Array(slot.memory).set(sequence < 3 ? planes : wall);
          yield new RawFrame({ sequence, timestampUs: 33_333 * sequence, format }, slot);
        }
      }
      const source = {
        info: { format, hasAudio: false },
        frames: from(pictures()),
        decodeErrors: 0,
        close: async () => {},
      };
      await runStream(shared!.engine, { source, sink, streamId: 9, lookaheadFrames: 0, lossless: true });
      const luma = sink.frames.map(({ rgba }) => rgba.filter((_, i) => i % 4 === 1));
      const grey = Math.round(1.164 * (60 - 16));
      return luma.map((green) => green.filter((v) => Math.abs(v - grey) > 8).length);
    };
    // As it is where nothing happens: somebody who is not found is covered for a while.
    expect(Math.min(...(await film(async () => {})).slice(3))).toBeGreaterThan(1000);
    const covered = await film(() => shared!.replace('analysis', kill));
    expect(Math.min(...covered.slice(3))).toBeGreaterThan(1000);
  });

  describe('with a helper of the face detector', () => {
    beforeAll(async () => {
      await shared?.close();
      shared = undefined;
    });

    it('goes on without the helper, with the next one, and with another analysis', async () => {
      const warnings: string[] = [];
      const under = await EngineUnderTest.start({}, (sentence) => void warnings.push(sentence), 2);
      try {
        const { sink, stop } = await start(under);
        await clean(sink, 5, 'composed');
        await under.replace('helper', kill);
        expect((await clean(sink, 10, 'composed')).seen.withFace).toBeGreaterThan(0);
        expect(warnings.join()).toContain('detector');
        await under.replace('analysis', kill);
        expect((await clean(sink, 10, 'composed')).seen.withFace).toBeGreaterThan(0);
        await stop();
        running.splice(0);
      } finally {
        await under.close();
      }
    });
  });

  describe('with a model that is spoilt', () => {
    const spoilt = async (
      name: string,
      spoil: (bytes: Buffer) => Buffer,
      look: (sink: KeepingSink) => Promise<void>,
    ) => {
      const under = await EngineUnderTest.start(spoiltModels(name, spoil), undefined, 2);
      try {
        const run = await start(under);
        await look(run.sink);
        await run.stop();
        running.splice(0);
      } finally {
        await under.close();
      }
    };
    const renamed = (bytes: Buffer, from: string, to: string) => {
      for (let at = bytes.indexOf(from); at >= 0; at = bytes.indexOf(from, at)) bytes.write(to, at);
      return bytes;
    };
    /** Not a number, whatever the alignment. */
    const notNumbers = (bytes: Buffer) => bytes.fill(0xff, bytes.length >> 1, (bytes.length >> 1) + 4096);

    it('veils every frame when the detector throws', async () => {
      await spoilt(
        'face-detector',
        (bytes) => renamed(bytes, 'scores', 'nothng'),
        async (sink) => {
          const { frames } = await clean(sink, 10, 'veiled');
          expect(frames.every((frame) => frame.kind === 'veiled')).toBe(true);
        },
      );
    });

    it('covers the face when the generator answers with values that are no numbers', async () => {
      await spoilt('generator-128', notNumbers, async (sink) => {
        const { frames, seen } = await clean(sink, 10, 'composed');
        expect(seen.withFace).toBe(0);
        expect(frames.some((frame) => !isVeiled(frame))).toBe(true);
      });
    });

    it.each([
      ['throws', (bytes: Buffer) => renamed(bytes, 'output', 'nothng')],
      ['answers with values that are no numbers', notNumbers],
    ])('covers the face when the recognizer, which judges understudies, %s', async (_, spoil) => {
      await spoilt('face-recognizer', spoil, async (sink) => {
        const { frames, seen } = await clean(sink, 10, 'composed');
        expect(seen.withFace).toBe(0);
        expect(frames.some((frame) => !isVeiled(frame))).toBe(true);
      });
    });

    it('veils every frame when the detector answers with values that are no numbers', async () => {
      await spoilt('face-detector', notNumbers, async (sink) => {
        const { frames } = await clean(sink, 10, 'veiled');
        expect(frames.every((frame) => frame.kind === 'veiled')).toBe(true);
      });
    });
  });
});
