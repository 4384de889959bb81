import { expect, it } from 'vitest';
import type { RawFrame } from '../../src/core/video-frame.ts';
import { LiveFrames } from '../../src/ingest/live/live-frames.ts';

const format = { width: 64, height: 48, colour: { matrix: 'bt601', range: 'limited' } } as const;

it('leaves nobody looking at the last picture, though all memory is with frames on their way when the publisher goes', async () => {
  const frames = new LiveFrames(format, 2);
  const seen: RawFrame[] = [];
  let complete = false;
  frames.frames.subscribe({ next: (frame) => void seen.push(frame), complete: () => (complete = true) });
  for (let i = 0; i < 2; i++) {
    const slot = frames.tryTakeSlot()!;
    new Uint8Array(slot.memory).fill(201);
    frames.offer(slot, 33_333 * i, false);
  }
  const decoding = [frames.tryTakeSlot()!, frames.tryTakeSlot()!];
  expect(frames.tryTakeSlot()).toBeUndefined();
  frames.endVeiled();
  expect([seen.length, complete]).toEqual([2, false]);
  decoding[0]!.release();
  for (const frame of [...seen]) frame.close();
  await new Promise((resolve) => setImmediate(resolve));
  expect(seen.length).toBe(3);
  expect(seen[2]!.damaged).toBe(true);
  expect(new Uint8Array(seen[2]!.slot.memory).includes(201)).toBe(false);
  expect(complete).toBe(true);
});
