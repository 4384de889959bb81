import { describe, expect, it } from 'vitest';
import { loadConfig } from '../../src/config/loader.ts';
import { FACE_SLOT_BYTES } from '../../src/core/face-slot.ts';
import type { TrackedFace } from '../../src/core/face-track.ts';
import { Batcher } from '../../src/infer/batcher.ts';
import { GeneratorClient } from '../../src/infer/generator-client.ts';
import { grayPicture, neutralShape } from '../track/fakes.ts';

describe('a batch', () => {
  it('holds one item only when that is to go alone', async () => {
    const batches: string[][] = [];
    const run = async (items: string[]) => {
      batches.push(items);
      return items;
    };
    const batcher = new Batcher({ maxBatchSize: 3, maxQueueDelayMs: 1, run });
    const alone = ['c', 'd'];
    await Promise.all(['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h'].map((i) => batcher.submit(i, alone.includes(i))));
    expect(batches).toEqual([['a', 'b'], ['c'], ['d'], ['e', 'f', 'g'], ['h']]);
  });
});

describe('faces that go through the generator together', () => {
  it('are drawn though one of them cannot be', async () => {
    const faceMemory = new SharedArrayBuffer(3 * FACE_SLOT_BYTES);
    const { infer } = loadConfig({ sets: [], env: {} });
    const together = { ...infer, maxBatchSize: 3, maxQueueDelayMs: 10_000 };
    const client = GeneratorClient.start({ faceMemory, ...together, patience: {}, onWarning: () => {} });
    const { planes, format } = grayPicture();
    const raw = new SharedArrayBuffer(planes.length);
    new Uint8Array(raw).set(planes);
    const points = Float32Array.from([...neutralShape(), 45, 50, 83, 50]);
    const face: TrackedFace = {
      ...{ trackId: 1, personId: 1, cover: 'generated', roll: 0, score: 1 },
      region: { x: 100, y: 100, width: 128, height: 128 },
      toPicture: { a: 1, b: 0, c: 100, d: 0, e: 1, f: 100 },
      ...{ own: points, driven: points, raw: points },
    };
    const { driven: _, ...without } = face;
    const draw = (slot: number, one: TrackedFace) =>
      client.generate({ raw, format, face: one, slot, z: new Float32Array(64) });
    try {
      const outcomes = await Promise.all([draw(0, face), draw(1, without), draw(2, face)]);
      expect(outcomes).toEqual(['generated', 'rejected', 'generated']);
    } finally {
      await client.close();
    }
  });
});
