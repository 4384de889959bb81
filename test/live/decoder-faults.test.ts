import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { openPacedFileSource } from '../../src/ingest/live/paced-file-source.ts';
import { childrenWith, EngineUnderTest, type KeepingSink, type Running, startRun } from './fault-run.ts';
import { FaceSearch, framesOf, isVeiled, personClip } from './people.ts';
import { temporaryFolder, until } from './support.ts';

const PATIENCE_MS = 60_000;
const FPS = 10;

/** Every test looks at all frames that left: the person of the clip is in none of them. */
describe('the decoder of a camera', { timeout: 180_000 }, () => {
  const clip = join(temporaryFolder(), 'anna.mkv');
  const running: Running[] = [];
  let search: FaceSearch;
  let anna: Float32Array[];
  let under: EngineUnderTest;

  beforeAll(async () => {
    personClip('anna', clip, '480x360', FPS);
    search = await FaceSearch.create();
    anna = await search.person(clip);
    expect((await search.search(framesOf(clip, 10), anna)).matches).toBeGreaterThan(3);
    under = await EngineUnderTest.start();
  });
  afterEach(async () => {
    await Promise.all(running.splice(0).map((run) => run.stop()));
  });
  afterAll(() => under?.close());

  const start = async () => {
    const run = startRun(under.engine, await openPacedFileSource(clip, { loop: true }));
    running.push(run);
    await clean(run.sink, 5, 'composed');
    return run;
  };
  /** Waits for so many more frames of a kind, and searches all that left since the last call. */
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

  it('killed: veiled frames from that moment to the first picture of the next decoder', async () => {
    const { source, sink } = await start();
    for (const pid of childrenWith('anna.mkv')) process.kill(pid, 'SIGKILL');
    const killedUs = source.elapsedUs;
    await until(() => source.reconnects > 0, PATIENCE_MS, 'another connection');
    const { frames, seen } = await clean(sink, 8, 'composed');
    expect(seen.withFace).toBeGreaterThan(0);
    const veil = frames.findIndex((frame) => frame.kind === 'veiled' && frame.timestampUs > killedUs);
    expect(veil).toBeGreaterThanOrEqual(0);
    const veiled = frames.slice(veil);
    const good = veiled.findIndex((frame) => frame.kind === 'composed');
    const [fromUs, goodUs] = [veiled[0]!.timestampUs, veiled[good]!.timestampUs];
    // At once, and not for a moment after a second in which the last picture stood still.
    expect(goodUs - fromUs).toBeGreaterThan(fromUs - killedUs);
    // Until then: what comes last before the next picture belongs to the veil as well.
    expect(goodUs - veiled[good - 1]!.timestampUs).toBeLessThan((goodUs - killedUs) / 2);
    // What had been decoded may still leave; nothing that is newer.
    const before = frames.slice(0, veil).map((frame) => frame.timestampUs);
    expect(Math.max(...before)).toBeLessThan(killedUs + 1e6 / FPS);
  });

  it('standing still: veiled frames until it moves again', async () => {
    const { sink } = await start();
    const decoders = childrenWith('anna.mkv');
    for (const pid of decoders) process.kill(pid, 'SIGSTOP');
    await clean(sink, 5, 'veiled');
    for (const pid of decoders) process.kill(pid, 'SIGCONT');
    expect((await clean(sink, 8, 'composed')).seen.withFace).toBeGreaterThan(0);
  });
});
