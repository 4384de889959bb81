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
  return (await searched(face(1, known), face(2, found))).map((one) => one.trackId);
}

async function searched(known: TrackedFace, found: TrackedFace): Promise<readonly TrackedFace[]> {
  const raw = new RawFrame({ sequence: 0, timestampUs: 0, format }, slot);
  const job: FrameJob = { raw, faces: [known] };
  await searchBack(found.trackId, [job], async () => found);
  return job.faces;
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

  it('covers a small face beside the chin or over the ear of a large one that is drawn, for that is painted within its own outline', async () => {
    const large: Region = { x: 100, y: 100, width: 270, height: 350 };
    for (const small of [
      { x: 330, y: 380, width: 38, height: 49 },
      { x: 105, y: 240, width: 61, height: 80 },
    ]) {
      for (const cover of ['generated', 'held'] as const) {
        const faces = await searched({ ...face(1, large), cover }, { ...face(2, small), cover: 'generated' });
        expect(faces.map((one) => one.cover)).toEqual([cover, 'solid']);
      }
      const faces = await searched(face(1, large), { ...face(2, small), cover: 'generated' });
      expect(faces.map((one) => one.trackId)).toEqual([1]);
    }
    // The face itself, found a little smaller.
    const itself = { x: 120, y: 130, width: 220, height: 290 };
    expect(await searched({ ...face(1, large), cover: 'generated' }, face(2, itself))).toHaveLength(1);
  });
});
