import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { planeLayout } from '../../src/core/video-frame.ts';
import { coverRegion, type PlaneCover } from '../../src/gpu-post/plane-covers.ts';
import { demoPhoto } from '../support/demo-photo.ts';

const photo = demoPhoto(3);
const { width, height } = photo.format;
const { cbOffset, crOffset, chromaWidth } = planeLayout(width, height);
const COVERS: PlaneCover[] = ['solid', 'mask', 'blur', 'pixelate', 'noise'];

interface Box {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

function covered(region: Box, cover: PlaneCover, from = photo.planes): Uint8Array {
  const planes = from.slice();
  coverRegion(planes, photo.format, region, cover);
  return planes;
}

/** Luma samples of a region that lies inside the picture. */
function luma(planes: Uint8Array, { x, y, width: w, height: h }: Box): number[] {
  return Array.from({ length: w * h }, (_, i) => planes[(y + Math.floor(i / w)) * width + x + (i % w)]!);
}

function chroma(planes: Uint8Array, offset: number, { x, y, width: w, height: h }: Box): number[] {
  const half = w / 2;
  return Array.from(
    { length: (w * h) / 4 },
    (_, i) => planes[offset + (y / 2 + Math.floor(i / half)) * chromaWidth + x / 2 + (i % half)]!,
  );
}

/** The picture with the pixels of each block shuffled: the same to whoever sees the blocks' means only. */
function shuffledInBlocks(region: Box, blocks: number): Uint8Array {
  const planes = photo.planes.slice();
  const [w, h] = [region.width / blocks, region.height / blocks];
  for (let by = 0; by < blocks; by++) {
    for (let bx = 0; bx < blocks; bx++) {
      const at = (i: number) => (region.y + by * h + Math.floor(i / w)) * width + region.x + bx * w + (i % w);
      const turned = Array.from({ length: w * h }, (_, i) => photo.planes[at(w * h - 1 - i)]!);
      for (const [i, value] of turned.entries()) planes[at(i)] = value;
    }
  }
  return planes;
}

function correlation(a: number[], b: number[]): number {
  const mean = (v: number[]) => v.reduce((s, x) => s + x, 0) / v.length;
  const [ma, mb] = [mean(a), mean(b)];
  const dot = (u: number[], mu: number, v: number[], mv: number) =>
    u.reduce((s, x, i) => s + (x - mu) * (v[i]! - mv), 0);
  return dot(a, ma, b, mb) / Math.sqrt(dot(a, ma, a, ma) * dot(b, mb, b, mb) || 1);
}

describe('covers without GL', () => {
  it('show at most 36 numbers of a face, however large it is', () => {
    for (const size of [48, 96, 240, 480]) {
      const region = { x: 400, y: 60, width: size, height: size };
      const planes = covered(region, 'pixelate');
      const cells = new Set(luma(planes, region).map((v, i) => `${Math.floor((6 * (i % size)) / size)} ${v}`));
      expect(cells.size).toBeLessThanOrEqual(36);
      expect(new Set(chroma(planes, cbOffset, region)).size).toBeLessThanOrEqual(36);
    }
  });

  it('give the same picture for every face with the same block means', () => {
    const region = { x: 420, y: 80, width: 240, height: 240 };
    const other = shuffledInBlocks(region, 6);
    expect(luma(other, region)).not.toEqual(luma(photo.planes, region));
    for (const cover of ['blur', 'pixelate'] as const)
      expect(luma(covered(region, cover, other), region)).toEqual(luma(covered(region, cover), region));
  });

  it('do not become finer for a face that the edge of the picture cuts, or for a small one', () => {
    const cut = covered({ x: 600, y: -200, width: 240, height: 240 }, 'pixelate');
    const rows = new Set(Array.from({ length: 40 }, (_, y) => cut.slice(y * width + 600, y * width + 840).join()));
    expect(rows.size).toBe(1);
    const tiny = { x: 500, y: 100, width: 14, height: 14 };
    expect(new Set(luma(covered(tiny, 'pixelate'), tiny)).size).toBe(1);
    expect(new Set(chroma(covered(tiny, 'blur'), crOffset, tiny)).size).toBe(1);
  });

  it('solid, mask and noise keep nothing of the face', () => {
    const region = { x: 420, y: 80, width: 240, height: 240 };
    for (const cover of ['solid', 'mask', 'noise'] as const) {
      const planes = covered(region, cover);
      expect(Math.abs(correlation(luma(planes, region), luma(photo.planes, region)))).toBeLessThan(0.03);
      expect(
        Math.abs(correlation(chroma(planes, crOffset, region), chroma(photo.planes, crOffset, region))),
      ).toBeLessThan(0.06);
    }
  });

  it('hide every sample of any region and leave all others bit-exact', () => {
    const place = fc.record({
      x: fc.integer({ min: -80, max: 1300 }),
      y: fc.integer({ min: -80, max: 740 }),
      width: fc.integer({ min: 1, max: 120 }),
      height: fc.integer({ min: 1, max: 120 }),
    });
    fc.assert(
      fc.property(place, fc.constantFrom(...COVERS), (region, cover) => {
        const planes = covered(region, cover);
        const inside = (x: number, y: number, margin: number) =>
          x >= region.x - margin &&
          x < region.x + region.width + margin &&
          y >= region.y - margin &&
          y < region.y + region.height + margin;
        let changedOutside = 0;
        let kept = 0;
        for (let y = 0; y < height; y++) {
          for (let x = 0; x < width; x++) {
            const i = y * width + x;
            // Whole chroma samples are covered: a pixel beside the region may be too.
            if (!inside(x, y, 1)) changedOutside += Number(planes[i] !== photo.planes[i]);
            if (cover === 'mask' && inside(x, y, 0)) kept += Number(planes[i] !== 16);
          }
        }
        return changedOutside === 0 && kept === 0;
      }),
      { numRuns: 25 },
    );
  });
});
