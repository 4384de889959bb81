import { readFileSync, writeFileSync } from 'node:fs';
import jpeg from 'jpeg-js';
import { PNG } from 'pngjs';
import type { ColourSpec } from '../../src/core/video-frame.ts';
import { planeLayout } from '../../src/core/video-frame.ts';
import type { Picture } from '../../src/core/vision.ts';

/** JPEG's own colours: BT.601, full range. */
const JPEG: ColourSpec = { matrix: 'bt601', range: 'full' };
const WEIGHTS = { bt601: [0.299, 0.114], bt709: [0.2126, 0.0722], bt2020: [0.2627, 0.0593] } as const;

/** A JPEG file as an I420 picture in shared memory, as a decoder would hand it over. */
export function photoAsPicture(path: string, colour: ColourSpec = JPEG): Picture {
  const { width, height, data } = jpeg.decode(readFileSync(path), { useTArray: true, maxMemoryUsageInMB: 1024 });
  return rgbaAsPicture(data, width, height, colour);
}

/** RGBA → I420: chroma is the mean of the (up to) four pixels that share a sample. */
export function rgbaAsPicture(rgba: Uint8Array, width: number, height: number, colour: ColourSpec = JPEG): Picture {
  const layout = planeLayout(width, height);
  const planes = new Uint8Array(new SharedArrayBuffer(layout.byteLength));
  const [kr, kb] = WEIGHTS[colour.matrix];
  const full = colour.range === 'full';
  const [offset, lumaScale, chromaScale] = full ? [0, 1, 1] : [16, 219 / 255, 224 / 255];
  const luma = (at: number) => kr * rgba[at]! + (1 - kr - kb) * rgba[at + 1]! + kb * rgba[at + 2]!;
  for (let i = 0; i < width * height; i++) planes[i] = Math.round(offset + lumaScale * luma(4 * i));
  for (let cy = 0; cy < layout.chromaHeight; cy++) {
    for (let cx = 0; cx < layout.chromaWidth; cx++) {
      let cb = 0;
      let cr = 0;
      for (let k = 0; k < 4; k++) {
        const x = Math.min(width - 1, 2 * cx + (k & 1));
        const y = Math.min(height - 1, 2 * cy + (k >> 1));
        const at = 4 * (y * width + x);
        const l = luma(at);
        cb += (rgba[at + 2]! - l) / (2 * (1 - kb)) / 4;
        cr += (rgba[at]! - l) / (2 * (1 - kr)) / 4;
      }
      const at = cy * layout.chromaWidth + cx;
      planes[layout.cbOffset + at] = clampByte(128 + chromaScale * cb);
      planes[layout.crOffset + at] = clampByte(128 + chromaScale * cr);
    }
  }
  return { planes, format: { width, height, colour } };
}

function clampByte(value: number): number {
  return Math.max(0, Math.min(255, Math.round(value)));
}

/** Writes RGBA as PNG, to look at. */
export function savePng(path: string, rgba: Uint8Array, width: number, height: number): void {
  const png = new PNG({ width, height });
  png.data.set(rgba.subarray(0, width * height * 4));
  writeFileSync(path, PNG.sync.write(png));
}
