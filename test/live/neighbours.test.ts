import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { openPacedFileSource } from '../../src/ingest/live/paced-file-source.ts';
import type { Engine } from '../../src/pipeline/engine.ts';
import { OverloadWatch } from '../../src/pipeline/overload-watch.ts';
import { childrenWith, EngineUnderTest, type Running, startRun } from './fault-run.ts';
import { FaceSearch, isVeiled, personClip } from './people.ts';
import { temporaryFolder, until } from './support.ts';

const PATIENCE_MS = 60_000;

/** The real engine, of which one stage takes so much longer. */
function slowed(engine: Engine, stage: 'analyse' | 'generate', ms: number): Engine {
  return new Proxy(engine, {
    get(target, name) {
      const value = Reflect.get(target, name) as unknown;
      if (typeof value !== 'function') return value;
      if (name !== stage) return value.bind(target);
      return async (...args: unknown[]) => {
        await new Promise((resolve) => setTimeout(resolve, ms));
        return value.apply(target, args) as unknown;
      };
    },
  });
}

/** Every test looks at all frames that left: the people of the clips are in none of them. */
describe('streams of one engine', { timeout: 180_000 }, () => {
  const folder = temporaryFolder();
  const clips = { anna: join(folder, 'anna.mkv'), bea: join(folder, 'bea.mkv') };
  const running: Running[] = [];
  const people: Float32Array[][] = [];
  let search: FaceSearch;
  let under: EngineUnderTest;

  beforeAll(async () => {
    for (const [name, clip] of Object.entries(clips)) personClip(name as keyof typeof clips, clip, '480x360', 10);
    search = await FaceSearch.create();
    for (const clip of Object.values(clips)) people.push(await search.person(clip));
    under = await EngineUnderTest.start();
  });
  afterEach(async () => {
    await Promise.all(running.splice(0).map((run) => run.stop()));
  });
  afterAll(() => under?.close());

  const start = async (clip: string, streamId: number, engine = under.engine) => {
    const run = startRun(engine, await openPacedFileSource(clip, { loop: true }), streamId);
    running.push(run);
    return run;
  };
  const composed = ({ sink }: Running) => sink.frames.filter((frame) => frame.kind === 'composed').length;
  /** Takes what has left, searches it and tells how many frames show a face. */
  const searched = async ({ sink }: Running) => {
    const frames = sink.take();
    for (const frame of frames) if (frame.kind === 'veiled') expect(isVeiled(frame)).toBe(true);
    let withFace = 0;
    for (const person of people) {
      const seen = await search.search(frames, person);
      expect(seen.matches, `best cosine ${seen.best}`).toBe(0);
      withFace = seen.withFace;
    }
    return { frames, withFace };
  };

  it('do not notice that the decoder of another one is killed again and again', async () => {
    const [spared, killed] = [await start(clips.anna, 1), await start(clips.bea, 2)];
    await until(() => composed(spared) >= 10 && composed(killed) >= 10, PATIENCE_MS, 'frames of both');
    await Promise.all([searched(spared), searched(killed)]);
    for (let time = 1; time <= 3; time++) {
      for (const pid of childrenWith('bea.mkv')) process.kill(pid, 'SIGKILL');
      await until(() => killed.source.reconnects >= time, PATIENCE_MS, 'another connection');
      const { frames, withFace } = await searched(spared);
      // Half a second at least, until the other one is connected again: five pictures come.
      expect(frames.length).toBeGreaterThanOrEqual(3);
      expect(frames.every((frame) => frame.kind === 'composed')).toBe(true);
      expect(withFace).toBeGreaterThanOrEqual(frames.length / 2);
    }
    expect(spared.source.reconnects).toBe(0);
    const { frames } = await searched(killed);
    expect(frames.some((frame) => frame.kind === 'veiled')).toBe(true);
    await until(() => composed(killed) >= 3, PATIENCE_MS, 'the other one again');
    expect((await searched(killed)).withFace).toBeGreaterThan(0);
  });

  it.each(['analyse', 'generate'] as const)(
    'drop, say so and lower their rate when %s takes ten times too long',
    async (stage) => {
      const told: string[] = [];
      // Up to three frames are generated at once.
      const run = await start(clips.anna, 3, slowed(under.engine, stage, stage === 'analyse' ? 1000 : 3000));
      const watch = new OverloadWatch(run.source, (sentence) => told.push(sentence));
      const ages: number[] = [];
      while (run.source.counts.thinned === 0 || told.length === 0) {
        const before = run.sink.frames.length;
        await until(() => run.sink.frames.length > before, PATIENCE_MS, 'a frame');
        ages.push((run.source.elapsedUs - run.sink.frames.at(-1)!.timestampUs) / 1000);
        expect(ages.length).toBeLessThan(60);
      }
      watch.close();
      expect(told[0]).toMatch(/overload: .* pictures a second arrive, .* are processed/);
      expect(run.source.counts.dropped).toBeGreaterThan(30);
      // Were the frames queued, each would be nine tenths of a second older than the one before.
      expect(Math.max(...ages.slice(-3)) - Math.max(...ages.slice(3, 6))).toBeLessThan(3000);
      const { frames, withFace } = await searched(run);
      const times = frames.map((frame) => frame.timestampUs);
      expect(times).toEqual([...times].sort((a, b) => a - b));
      expect(withFace).toBeGreaterThan(0);
    },
  );
});
