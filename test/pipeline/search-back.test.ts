import { describe, expect, it } from 'vitest';
import type { Region, TrackedFace } from '../../src/core/face-track.ts';
import { FramePool } from '../../src/core/frame-pool.ts';
import { planeLayout, RawFrame } from '../../src/core/video-frame.ts';
import type { FrameJob } from '../../src/pipeline/frame-job.ts';
import { searchBack } from '../../src/pipeline/search-back.ts';

const format = { width: 64, height: 48, colour: { matrix: 'bt601', range: 'limited' } } as const;
const slot = new FramePool(planeLayout(64, 48).byteLength, 1).tryAcquire()!;
const face = (trackId: number, region: Region): TrackedFace => ({
  ...{ trackId, personId: trackId, cover: 'solid', roll: 0, score: 1 },
  region,
});
const square = (x: number, y: number, side: number): Region => ({ x, y, width: side, height: side });

/** Tracks that cover a held frame on which `known` was found at the time and `found` when it was searched again. */
async function covered(known: Region, found: Region): Promise<number[]> {
  const raw = new RawFrame({ sequence: 0, timestampUs: 0, format }, slot);
  const job: FrameJob = { raw, faces: [face(1, known)] };
  await searchBack(2, [job], async () => face(2, found));
  return job.faces.map((one) => one.trackId);
}

describe('searchBack', () => {
  it('covers a face of which only a part was found at the time', async () => {
    expect(await covered(square(20, 22, 8), square(10, 10, 30))).toEqual([1, 2]);
    expect(await covered(square(10, 10, 24), square(10, 10, 30))).toEqual([1, 2]);
  });

  it('leaves a face alone that was found at the time', async () => {
    expect(await covered(square(10, 10, 30), square(11, 11, 28))).toEqual([1]);
    expect(await covered(square(10, 10, 29), square(10, 10, 30))).toEqual([1]);
  });
});
