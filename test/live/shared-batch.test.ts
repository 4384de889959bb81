import { afterAll, beforeAll, expect, it } from 'vitest';
import { FramePool } from '../../src/core/frame-pool.ts';
import { RawFrame } from '../../src/core/video-frame.ts';
import { demoPhoto } from '../support/demo-photo.ts';
import { EngineUnderTest } from './fault-run.ts';

let under: EngineUnderTest;
beforeAll(async () => {
  under = await EngineUnderTest.start();
});
afterAll(() => under?.close());

it('faces of two streams that come together share a run of the generator, and each has a slot of its own', async () => {
  const { engine } = under;
  const { planes, format } = demoPhoto(3);
  const pool = new FramePool(planes.byteLength, 2);
  const batches: number[] = [];
  engine.onBatch = (faces) => void batches.push(faces);
  const meet = async (streamId: number) => {
    const slot = await pool.acquire();
    new Uint8Array(slot.memory).set(planes);
    const raw = new RawFrame({ sequence: 0, timestampUs: 0, format }, slot);
    const { faces } = await engine.analyse(streamId, raw, false);
    const face = faces.find(({ cover }) => cover === 'generated');
    if (!face) throw new Error('the analysis finds no face that can be drawn');
    return { streamId, raw, face };
  };
  const met = [await meet(1), await meet(2)];
  // One alone has nobody to share a run with.
  const draw = ({ streamId, raw, face }: (typeof met)[number]) => engine.generate(streamId, raw, face, { wait: false });
  const first = await draw(met[0]!);
  expect(first.cover).toBe('generated');
  expect(new Set(batches)).toEqual(new Set([1]));
  engine.giveFaceSlot(first.faceSlot!);

  batches.length = 0;
  const together = await Promise.all(met.map(draw));
  expect(batches[0]).toBe(2);
  expect(together.map(({ cover }) => cover)).toEqual(['generated', 'generated']);
  expect(new Set(together.map(({ faceSlot }) => faceSlot)).size).toBe(2);
  for (const { faceSlot } of together) engine.giveFaceSlot(faceSlot!);
  for (const { raw, streamId } of met) {
    raw.close();
    engine.endStream(streamId);
  }
}, 60_000);
