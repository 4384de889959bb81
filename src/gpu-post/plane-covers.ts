import type { Region } from '../core/face-track.ts';
import { type PictureFormat, planeLayout } from '../core/video-frame.ts';

export type PlaneCover = 'solid' | 'mask' | 'blur' | 'pixelate' | 'noise';

/** Blocks across a face: too few for any recognizer (the 16×16 matcher of docs/evaluation.md already fails at 8). */
const BLOCKS = 6;
const SOLID_LUMA = 96;
const MASK_LUMA = 16;

/** Overwrites a region of I420 planes so that nothing of what was there can be told. Needs no GL and no X display. */
export function coverRegion(planes: Uint8Array, format: PictureFormat, region: Region, cover: PlaneCover): void {
  const { width, height, chromaWidth, chromaHeight, cbOffset, crOffset } = planeLayout(format.width, format.height);
  // Whole chroma samples: an odd edge would leave the face's colour in the last column.
  const x0 = Math.max(0, Math.floor(region.x / 2) * 2);
  const y0 = Math.max(0, Math.floor(region.y / 2) * 2);
  const x1 = Math.min(width, Math.ceil((region.x + region.width) / 2) * 2);
  const y1 = Math.min(height, Math.ceil((region.y + region.height) / 2) * 2);
  if (!(x1 > x0 && y1 > y0)) return;
  const half = { x0: x0 >> 1, y0: y0 >> 1, x1: (x1 + 1) >> 1, y1: (y1 + 1) >> 1 };
  const parts = [
    {
      plane: planes.subarray(0, cbOffset),
      stride: width,
      rows: height,
      box: { x0, y0, x1, y1 },
      flat: cover === 'mask' ? MASK_LUMA : SOLID_LUMA,
    },
    { plane: planes.subarray(cbOffset, crOffset), stride: chromaWidth, rows: chromaHeight, box: half, flat: 128 },
    { plane: planes.subarray(crOffset), stride: chromaWidth, rows: chromaHeight, box: half, flat: 128 },
  ];
  for (const { plane, stride, box, flat } of parts) {
    if (cover === 'pixelate' || cover === 'blur') averageBlocks(plane, stride, box, cover === 'blur');
    else
      for (let y = box.y0; y < box.y1; y++)
        fillRow(plane.subarray(y * stride + box.x0, y * stride + box.x1), flat, cover === 'noise');
  }
}

/** Whole frame without any picture content. */
export function veilPlanes(planes: Uint8Array, format: PictureFormat): void {
  const { cbOffset, byteLength } = planeLayout(format.width, format.height);
  planes.fill(SOLID_LUMA, 0, cbOffset);
  planes.fill(128, cbOffset, byteLength);
}

interface Box {
  readonly x0: number;
  readonly y0: number;
  readonly x1: number;
  readonly y1: number;
}

function fillRow(row: Uint8Array, value: number, noisy: boolean): void {
  if (!noisy) row.fill(value);
  else for (let i = 0; i < row.length; i++) row[i] = value + (Math.random() - 0.5) * 80;
}

/** Replaces the box by 6×6 means, as blocks or interpolated: both show the same 36 numbers. */
function averageBlocks(plane: Uint8Array, stride: number, box: Box, smooth: boolean): void {
  const w = box.x1 - box.x0;
  const h = box.y1 - box.y0;
  const sums = new Float64Array(BLOCKS * BLOCKS);
  const counts = new Float64Array(BLOCKS * BLOCKS);
  for (let y = 0; y < h; y++) {
    const row = Math.floor((y * BLOCKS) / h) * BLOCKS;
    for (let x = 0; x < w; x++) {
      const block = row + Math.floor((x * BLOCKS) / w);
      sums[block]! += plane[(box.y0 + y) * stride + box.x0 + x]!;
      counts[block]! += 1;
    }
  }
  const mean = (i: number, j: number) => {
    const block = Math.max(0, Math.min(BLOCKS - 1, j)) * BLOCKS + Math.max(0, Math.min(BLOCKS - 1, i));
    return counts[block] ? sums[block]! / counts[block]! : 128;
  };
  for (let y = 0; y < h; y++) {
    const v = smooth ? ((y + 0.5) * BLOCKS) / h - 0.5 : Math.floor((y * BLOCKS) / h);
    const j = Math.floor(v);
    for (let x = 0; x < w; x++) {
      const u = smooth ? ((x + 0.5) * BLOCKS) / w - 0.5 : Math.floor((x * BLOCKS) / w);
      const i = Math.floor(u);
      const top = mean(i, j) * (1 - (u - i)) + mean(i + 1, j) * (u - i);
      const bottom = mean(i, j + 1) * (1 - (u - i)) + mean(i + 1, j + 1) * (u - i);
      plane[(box.y0 + y) * stride + box.x0 + x] = top * (1 - (v - j)) + bottom * (v - j);
    }
  }
}
