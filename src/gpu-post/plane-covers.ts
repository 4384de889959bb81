import type { Region } from '../core/face-track.ts';
import { type PictureFormat, planeLayout } from '../core/video-frame.ts';
import { blocksIn, mosaic } from './mosaic.ts';

export type PlaneCover = 'solid' | 'mask' | 'blur' | 'pixelate' | 'noise';

const SOLID_LUMA = 96;
const MASK_LUMA = 16;

/** Overwrites a region of I420 planes so that nothing of what was there can be told. Needs no GL and no X display. */
export function coverRegion(planes: Uint8Array, format: PictureFormat, region: Region, cover: PlaneCover): void {
  const { width, height, chromaWidth, cbOffset, crOffset } = planeLayout(format.width, format.height);
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
      box: { x0, y0, x1, y1 },
      flat: cover === 'mask' ? MASK_LUMA : SOLID_LUMA,
    },
    { plane: planes.subarray(cbOffset, crOffset), stride: chromaWidth, box: half, flat: 128 },
    { plane: planes.subarray(crOffset), stride: chromaWidth, box: half, flat: 128 },
  ];
  const blocks = {
    across: blocksIn(x1 - x0, region.width),
    down: blocksIn(y1 - y0, region.height),
  };
  for (const { plane, stride, box, flat } of parts) {
    if (cover === 'pixelate' || cover === 'blur') mosaic(plane, stride, box, blocks, cover === 'blur');
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

function fillRow(row: Uint8Array, value: number, noisy: boolean): void {
  if (!noisy) row.fill(value);
  else for (let i = 0; i < row.length; i++) row[i] = value + (Math.random() - 0.5) * 80;
}
