import { describe, expect, it } from 'vitest';
import { faceOutline, rasteriseMask } from '../../src/core/face-mask.ts';
import { CROP_SIZE } from '../../src/core/face-track.ts';
import { planeLayout } from '../../src/core/video-frame.ts';
import { FacePainter, liesOver } from '../../src/gpu-post/face-painter.ts';
import { Grain } from '../../src/gpu-post/grain.ts';
import { shapes } from '../support/shapes.ts';

const format = { width: 640, height: 480, colour: { matrix: 'bt601', range: 'limited' } } as const;
const extent = { x0: 0, y0: 0, x1: CROP_SIZE - 1, y1: CROP_SIZE - 1 };

/** A black face without a hole, RGBA. */
function black(size: number): Uint8Array {
  return new Uint8Array(4 * size * size).map((_, i) => (i % 4 === 3 ? 255 : 0));
}

/** Share of a white picture that is still white within the face. */
function left(painter: FacePainter, size: number, scale: number): number {
  const { byteLength, cbOffset } = planeLayout(format.width, format.height);
  const planes = new Uint8Array(byteLength).fill(235, 0, cbOffset).fill(128, cbOffset);
  const toPicture = { a: scale, b: 0, c: 100, d: 0, e: scale, f: 100 };
  painter.paint({ face: black(size), extent, grain: new Grain(), sharpness: undefined }, toPicture, planes, format);
  let white = 0;
  const side = Math.floor(120 * scale);
  for (let y = 105; y < 100 + side; y++)
    for (let x = 105; x < 100 + side; x++) if (planes[y * format.width + x]! > 200) white++;
  return white / (side - 5) ** 2;
}

describe('a painter of faces of several sizes', () => {
  it('draws a large one whole that is made small, after a small one that was', () => {
    const painter = new FacePainter();
    expect(left(painter, 128, 0.5)).toBe(0);
    expect(left(painter, 256, 2)).toBe(0);
    expect(left(painter, 256, 1.4)).toBe(0);
    expect(left(painter, 256, 0.4)).toBe(0);
    expect(left(painter, 128, 0.3)).toBe(0);
  });
});

/** A black disc, RGBA, of 40 canonical pixels around the middle. */
function disc(size: number): Uint8Array {
  const face = new Uint8Array(4 * size * size);
  for (let i = 0; i < size * size; i++) {
    const [x, y] = [i % size, Math.floor(i / size)].map((at) => ((at + 0.5) * CROP_SIZE) / size - CROP_SIZE / 2);
    face[4 * i + 3] = Math.hypot(x!, y!) < 40 ? 255 : 0;
  }
  return face;
}

describe('a face of any size that a network may draw', () => {
  it('covers its place and nothing beside it, however small it is shown and however it is turned', () => {
    const { byteLength, cbOffset } = planeLayout(format.width, format.height);
    for (let size = 16; size <= 256; size += 16) {
      for (const scale of [0.08, 0.13, 0.3, 0.6, 1.7]) {
        for (const angle of [0, 0.4, Math.PI / 2, Math.PI]) {
          const planes = new Uint8Array(byteLength).fill(235, 0, cbOffset).fill(128, cbOffset);
          const [cos, sin] = [scale * Math.cos(angle), scale * Math.sin(angle)];
          const toPicture = {
            a: cos,
            b: -sin,
            c: 320 - 63.5 * (cos - sin),
            d: sin,
            e: cos,
            f: 240 - 63.5 * (sin + cos),
          };
          const face = { face: disc(size), extent, grain: new Grain(), sharpness: undefined };
          new FacePainter().paint(face, toPicture, planes, format);
          // As far as interpolation and the last texels of a small square reach.
          const soft = 2 + scale * (CROP_SIZE / size) * 2;
          for (let y = 0; y < format.height; y++)
            for (let x = 0; x < format.width; x++) {
              const r = Math.hypot(x - 320, y - 240);
              const luma = planes[y * format.width + x]!;
              if (r < 40 * scale - soft && luma > 16)
                throw new Error(`${size}, ${scale}, ${angle}: bare at ${x}, ${y}`);
              if (r > 40 * scale + soft && luma !== 235)
                throw new Error(`${size}, ${scale}, ${angle}: drawn at ${x}, ${y}`);
            }
        }
      }
    }
  });
});

describe('a finished face', () => {
  it.each([128, 256])(
    'of %d texels a side lies over the shape it was made for, and not over a mouth that has opened',
    (size) => {
      const [closed] = shapes(1, 5);
      const mask = new Uint8Array(CROP_SIZE * CROP_SIZE);
      rasteriseMask([faceOutline(closed!)], mask);
      const face = new Uint8Array(4 * size * size);
      const per = size / CROP_SIZE;
      for (let i = 0; i < size * size; i++)
        face[4 * i + 3] = mask[Math.floor(Math.floor(i / size) / per) * CROP_SIZE + Math.floor((i % size) / per)]!;
      expect(liesOver(face, [closed!])).toBe(true);
      const open = Float32Array.from(closed!);
      for (let i = 5; i <= 11; i++) open[2 * i + 1] = open[2 * i + 1]! + 9;
      expect(liesOver(face, [closed!, open])).toBe(false);
    },
  );
});
