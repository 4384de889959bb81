import { expect, it } from 'vitest';
import { FramePool } from '../../src/core/frame-pool.ts';
import { RawFrame } from '../../src/core/video-frame.ts';
import { demoPhoto } from '../support/demo-photo.ts';
import { EngineUnderTest } from './fault-run.ts';

it('whoever publishes next under a name is met anew, also when the analysis has not heard of the end before', async () => {
  const under = await EngineUnderTest.start();
  try {
    const { planes, format } = demoPhoto(5);
    const pool = new FramePool(planes.byteLength, 1);
    const analyse = async (sequence: number) => {
      const slot = pool.tryAcquire()!;
      new Uint8Array(slot.memory).set(planes);
      const raw = new RawFrame({ sequence, timestampUs: 33_333 * sequence, format }, slot);
      const analysed = await under.engine.analyse(1, raw, false);
      raw.close();
      return analysed;
    };
    const first = await analyse(0);
    expect(first.started.length).toBeGreaterThan(0);
    const goesOn = await analyse(1);
    expect([goesOn.life, goesOn.started]).toEqual([first.life, []]);
    // As a worker that is late is told nothing.
    const [analysis] = under.workers.slice(-3);
    const post = analysis!.postMessage.bind(analysis);
    let lost = 0;
    analysis!.postMessage = ({ id, body }: { id: number; body: { kind: string } }) => {
      if (body.kind !== 'end-stream') return post({ id, body });
      lost++;
      return analysis!.emit('message', { id });
    };
    under.engine.endStream(1);
    expect(lost).toBe(1);
    const next = await analyse(0);
    expect(next.life).not.toBe(first.life);
    expect(next.started.length).toBe(first.started.length);
    expect(next.started.filter((id) => first.started.includes(id))).toEqual([]);
  } finally {
    await under.close();
  }
}, 60_000);
