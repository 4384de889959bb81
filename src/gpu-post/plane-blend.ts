import { type PictureFormat, planeLayout } from '../core/video-frame.ts';
import type { Grain } from './grain.ts';

/** Part of a picture, on even coordinates. */
export interface Box {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

/**
 * Puts Y'CbCr with alpha over I420 planes. Samples with alpha 0 stay bit-exact.
 * @param pixels the box's pixels, one number each: Y, Cb, Cr, alpha from the lowest byte up
 */
export function blendPlanes(
  pixels: Int32Array,
  box: Box,
  planes: Uint8Array,
  format: PictureFormat,
  grain?: Grain,
): void {
  blendLuma(pixels, box, planes, format.width, grain);
  blendChroma(pixels, box, planes, format);
}

const SILENT = new Int8Array(1);

function blendLuma(pixels: Int32Array, box: Box, planes: Uint8Array, stride: number, grain?: Grain): void {
  const { x, y, width, height } = box;
  const noise = grain?.row() ?? SILENT;
  const wrap = noise.length - 1;
  for (let j = 0; j < height; j++) {
    let from = j * width;
    let to = (y + j) * stride + x;
    let n = grain?.start() ?? 0;
    for (const end = from + width; from < end; from++, to++, n++) {
      const pixel = pixels[from]!;
      const alpha = pixel >>> 24;
      if (alpha === 0) continue;
      let value = (pixel & 255) + noise[n & wrap]!;
      value = value < 0 ? 0 : value > 255 ? 255 : value;
      planes[to] = alpha === 255 ? value : mix(value, planes[to]!, alpha);
    }
  }
}

/** A chroma sample belongs to four luma samples, and takes the strongest cover of the four. */
function blendChroma(pixels: Int32Array, box: Box, planes: Uint8Array, format: PictureFormat): void {
  const { chromaWidth, cbOffset, crOffset } = planeLayout(format.width, format.height);
  const { x, y, width, height } = box;
  for (let j = 0; j < height; j += 2) {
    const below = j + 1 < height ? width : 0;
    let to = ((y + j) >> 1) * chromaWidth + (x >> 1);
    for (let i = 0; i < width; i += 2, to++) {
      const at = j * width + i;
      const right = i + 1 < width ? 1 : 0;
      const a = pixels[at]!;
      const b = pixels[at + right]!;
      const c = pixels[at + below]!;
      const d = pixels[at + below + right]!;
      if ((a & b & c & d) >>> 24 === 255) {
        planes[cbOffset + to] = (2 + ((a >> 8) & 255) + ((b >> 8) & 255) + ((c >> 8) & 255) + ((d >> 8) & 255)) >> 2;
        planes[crOffset + to] =
          (2 + ((a >> 16) & 255) + ((b >> 16) & 255) + ((c >> 16) & 255) + ((d >> 16) & 255)) >> 2;
        continue;
      }
      if ((a | b | c | d) >>> 24 === 0) continue;
      const [wa, wb, wc, wd] = [a >>> 24, b >>> 24, c >>> 24, d >>> 24];
      const weight = wa + wb + wc + wd;
      const alpha = Math.max(wa, wb, wc, wd);
      const cb = wa * ((a >> 8) & 255) + wb * ((b >> 8) & 255) + wc * ((c >> 8) & 255) + wd * ((d >> 8) & 255);
      const cr = wa * ((a >> 16) & 255) + wb * ((b >> 16) & 255) + wc * ((c >> 16) & 255) + wd * ((d >> 16) & 255);
      planes[cbOffset + to] = mix(cb / weight, planes[cbOffset + to]!, alpha);
      planes[crOffset + to] = mix(cr / weight, planes[crOffset + to]!, alpha);
    }
  }
}

function mix(face: number, picture: number, alpha: number): number {
  return (face * alpha + picture * (255 - alpha) + 127) / 255;
}
