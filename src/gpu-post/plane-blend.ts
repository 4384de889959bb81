import type { Scratch } from '../core/simd/scratch.ts';
import { type PictureFormat, planeLayout } from '../core/video-frame.ts';
import type { Grain } from './grain.ts';

/** Part of a picture, on even coordinates. */
export interface Box {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

/** V8 copies from and to shared memory byte by byte unless both places lie alike in their words: an eighth as fast. */
const WORD = 8;

/**
 * Puts Y'CbCr with alpha over I420 planes. Samples with alpha 0 stay bit-exact.
 * @param pixels address of the box's pixels, four bytes each: Y, Cb, Cr, alpha
 */
export function blendPlanes(
  scratch: Scratch,
  pixels: number,
  box: Box,
  planes: Uint8Array,
  format: PictureFormat,
  grain?: Grain,
): void {
  blendLuma(scratch, pixels, box, planes, format.width, grain);
  blendChroma(scratch, pixels, box, planes, format);
}

function blendLuma(
  scratch: Scratch,
  pixels: number,
  { x, y, width, height }: Box,
  planes: Uint8Array,
  stride: number,
  grain?: Grain,
): void {
  const noise = grain?.row();
  const noiseLength = (noise?.length ?? 0) + width;
  const [line, noiseAt] = [scratch.take(width + WORD), scratch.take(noiseLength)];
  const table = new Int8Array(scratch.buffer, noiseAt, noiseLength).fill(0);
  // Begun again behind its end: a row's noise may start anywhere.
  if (noise) for (let at = 0; at < noiseLength; at += noise.length) table.set(noise.subarray(0, noiseLength - at), at);
  for (let j = 0, at = y * stride + x; j < height; j++, at += stride) {
    const place = line + (at % WORD);
    const row = new Uint8Array(scratch.buffer, place, width);
    row.set(planes.subarray(at, at + width));
    scratch.kernels.blendLumaRow(pixels + 4 * j * width, place, noiseAt + (noise && grain ? grain.start() : 0), width);
    planes.set(row, at);
  }
}

/** A chroma sample belongs to four luma samples, and takes the strongest cover of the four. */
function blendChroma(
  scratch: Scratch,
  pixels: number,
  { x, y, width, height }: Box,
  planes: Uint8Array,
  format: PictureFormat,
): void {
  const { chromaWidth, cbOffset, crOffset } = planeLayout(format.width, format.height);
  const half = (width + 1) >> 1;
  const places = [scratch.take(half + WORD), scratch.take(half + WORD)] as const;
  for (let j = 0, at = (y >> 1) * chromaWidth + (x >> 1); j < height; j += 2, at += chromaWidth) {
    const [cb, cr] = [places[0] + ((cbOffset + at) % WORD), places[1] + ((crOffset + at) % WORD)];
    const blue = new Uint8Array(scratch.buffer, cb, half);
    const red = new Uint8Array(scratch.buffer, cr, half);
    blue.set(planes.subarray(cbOffset + at, cbOffset + at + half));
    red.set(planes.subarray(crOffset + at, crOffset + at + half));
    const above = pixels + 4 * j * width;
    scratch.kernels.blendChromaRow(above, j + 1 < height ? above + 4 * width : above, cb, cr, width);
    planes.set(blue, cbOffset + at);
    planes.set(red, crOffset + at);
  }
}
