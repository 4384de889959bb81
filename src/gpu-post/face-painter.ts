import { faceOutline, rasteriseMask } from '../core/face-mask.ts';
import { type Affine, CROP_SIZE } from '../core/face-track.ts';
import { Scratch } from '../core/simd/scratch.ts';
import type { PictureFormat } from '../core/video-frame.ts';
import { FaceRaster } from './face-raster.ts';
import type { Grain } from './grain.ts';
import { type Box, blendPlanes } from './plane-blend.ts';
import type { Sharpness } from './sharpness.ts';
import { addSkinTexture } from './skin-texture.ts';
import type { Extent } from './soft-mask.ts';

export interface PaintedFace {
  /** RGBA of the finished canonical face, size² texels. */
  readonly face: Uint8Array;
  /** Where the face's alpha is not 0: nothing else is drawn. */
  readonly extent: Extent;
  readonly grain: Grain;
  readonly sharpness: Pick<Sharpness, 'texture' | 'skin'> | undefined;
}

/** Whether a face (RGBA) covers anything at all. What a failed read leaves behind does not. */
export function hasOpaque(face: Uint8Array): boolean {
  for (let i = 3; i < face.length; i += 4) if (face[i] === 255) return true;
  return false;
}

const hull = new Uint8Array(CROP_SIZE * CROP_SIZE);
/** Canonical pixels along the hull's edge where what was drawn may be half transparent. */
const MAX_BARE = 12;

/** Whether a face (RGBA) lies over all of these shapes (140 numbers each, canonical-crop pixels): one that is held may not any more. */
export function liesOver(face: Uint8Array, shapes: readonly Float32Array[]): boolean {
  const size = Math.sqrt(face.length / 4);
  const perPixel = size / CROP_SIZE;
  rasteriseMask(shapes.map(faceOutline), hull, 0);
  let bare = 0;
  for (let y = 0; y < CROP_SIZE; y++) {
    for (let x = 0; x < CROP_SIZE; x++) {
      if (hull[y * CROP_SIZE + x] === 0) continue;
      const at = Math.floor(y * perPixel) * size + Math.floor(x * perPixel);
      if (face[4 * at + 3]! < 255 && ++bare > MAX_BARE) return false;
    }
  }
  return true;
}

/** Draws a finished canonical face into I420 planes at the picture's resolution. Only samples under the mask change. */
export class FacePainter {
  readonly #scratch = new Scratch();
  readonly #raster = new FaceRaster(this.#scratch);

  paint(
    { face, extent, grain, sharpness }: PaintedFace,
    toPicture: Affine,
    planes: Uint8Array,
    format: PictureFormat,
  ): void {
    const scale = Math.sqrt(Math.abs(toPicture.a * toPicture.e - toPicture.b * toPicture.d));
    const drawn = widened(extent, scale);
    const box = bounds(drawn, toPicture, format);
    if (!box) return;
    const count = box.width * box.height;
    this.#scratch.clear();
    this.#raster.load(face, Math.sqrt(face.length / 4), scale, format.colour);
    const pixels = this.#raster.draw(box, drawn, toPicture);
    const { buffer } = this.#scratch;
    if (sharpness)
      addSkinTexture(new Int32Array(buffer, pixels, count), box, toPicture, sharpness.skin, sharpness.texture);
    grain.look(planes, format.width, format.height, box, new Uint8Array(buffer, pixels, 4 * count));
    blendPlanes(this.#scratch, pixels, box, planes, format, grain);
  }
}

/** Interpolation carries alpha one texel further, and the texels of a small face have been halved. */
function widened({ x0, y0, x1, y1 }: Extent, scale: number): Extent {
  const margin = Math.max(1, 1.5 / scale);
  return { x0: x0 - margin, y0: y0 - margin, x1: x1 + margin, y1: y1 + margin };
}

/** The face's bounding box in the picture, on even coordinates, cut at the picture's edge. */
function bounds(extent: Extent, t: Affine, format: PictureFormat): Box | undefined {
  const corners = [extent.x0, extent.x1].flatMap((u) =>
    [extent.y0, extent.y1].map((v) => [t.a * u + t.b * v + t.c, t.d * u + t.e * v + t.f] as const),
  );
  const xs = corners.map((c) => c[0]);
  const ys = corners.map((c) => c[1]);
  const x = Math.max(0, Math.floor(Math.min(...xs) / 2) * 2);
  const y = Math.max(0, Math.floor(Math.min(...ys) / 2) * 2);
  const width = Math.min(format.width, Math.ceil(Math.max(...xs)) + 2) - x;
  const height = Math.min(format.height, Math.ceil(Math.max(...ys)) + 2) - y;
  return width > 0 && height > 0 ? { x, y, width, height } : undefined;
}
