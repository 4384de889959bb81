import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { type FfmpegTool, spawnFfmpeg } from '../../src/core/ffmpeg.ts';
import { NutWriter } from '../../src/core/nut/muxer.ts';
import type { RawFrame } from '../../src/core/video-frame.ts';
import { LiveFrames } from '../../src/ingest/live/live-frames.ts';
import { LiveSource } from '../../src/ingest/live/live-source.ts';
import { until } from '../live/support.ts';

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
  const decoding = [frames.tryTakeSlot()!, frames.tryTakeSlot()!, frames.tryTakeSlot()!];
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

it('lets two pictures wait for a moment, and only the newest while the stages are behind', () => {
  const frames = new LiveFrames(format, 1);
  const seen: RawFrame[] = [];
  const shown: number[] = [];
  frames.frames.subscribe((frame) => {
    seen.push(frame);
    shown.push(new Uint8Array(frame.slot.memory)[0]!);
  });
  let at = 0;
  const offer = (count: number) => {
    for (let i = 0; i < count; i++) {
      const slot = frames.tryTakeSlot()!;
      new Uint8Array(slot.memory).fill(++at);
      frames.offer(slot, 33_333 * at, false);
    }
  };
  const closeLast = () => seen.at(-1)!.close();
  offer(3);
  closeLast();
  closeLast();
  closeLast();
  expect(shown).toEqual([1, 2, 3]);
  expect(frames.counts.dropped).toBe(0);
  // One is under way, two wait: the next leaves none but itself.
  offer(4);
  expect(frames.counts.dropped).toBe(2);
  closeLast();
  expect(shown.at(-1)).toBe(7);
  // From now on one waits.
  offer(2);
  expect(frames.counts.dropped).toBe(3);
  closeLast();
  closeLast();
  expect(shown).toEqual([1, 2, 3, 4, 7, 9]);
  expect(frames.counts).toMatchObject({ received: 9, dropped: 3 });
  frames.end();
});

it('ends on a veiled frame that stays, though there was no memory for it when the camera stood still', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'understudy-frozen-'));
  const nut = new NutWriter(format, {});
  const picture = Buffer.alloc((64 * 48 * 3) / 2, 201);
  const pictures = [0, 1, 2].flatMap((i) => [nut.picture(40_000 * i, picture.length), picture]);
  // In the middle of its fourth picture the camera stands still: the memory that this is read into is not given back.
  const half = [nut.picture(120_000, picture.length), picture.subarray(0, 1000)];
  writeFileSync(join(folder, 'head'), nut.header);
  const tool: FfmpegTool = { path: '/bin/sh', version: '5', encoders: new Set(), probePath: undefined, modern: true };
  const seen: RawFrame[] = [];
  const source = await LiveSource.open(
    () => {
      const wait = `while [ ! -e ${folder}/pictures ]; do sleep 0.05; done`;
      return spawnFfmpeg(tool, ['-c', `cat ${folder}/head; ${wait}; cat ${folder}/pictures; exec sleep 60`]);
    },
    { inFlight: 1, onSourceLost: 'freeze-veiled', stallMs: 60_000, keepAudio: false, openMs: 20_000 },
    (log) => expect.unreachable(log),
  );
  source.frames.subscribe((frame) => void seen.push(frame));
  writeFileSync(join(folder, 'new'), Buffer.concat([...pictures, ...half]));
  renameSync(join(folder, 'new'), join(folder, 'pictures'));
  await until(() => source.counts.received === 3, 20_000, 'three pictures');
  await new Promise((resolve) => setTimeout(resolve, 1500));
  for (let closed = 0; closed < 3; closed++) {
    await until(() => seen.length > closed, 20_000, 'a frame');
    seen[closed]!.close();
  }
  await until(() => seen.at(-1)!.damaged, 5000, 'the veiled frame');
  await source.close();
  rmSync(folder, { recursive: true });
});
