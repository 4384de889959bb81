import { describe, expect, it } from 'vitest';
import { Scratch } from '../../src/core/simd/scratch.ts';
import { Grain } from '../../src/gpu-post/grain.ts';
import { blendPlanes } from '../../src/gpu-post/plane-blend.ts';

const [width, height] = [480, 360];
const format = { width, height, colour: { matrix: 'bt601', range: 'limited' } } as const;
const box = { x: 160, y: 100, width: 160, height: 160 };

function gaussian(): number {
  return Math.sqrt(-2 * Math.log(1 - Math.random())) * Math.cos(2 * Math.PI * Math.random());
}

/** A slanted surface with noise of a known deviation. */
function picture(sigma: number): Uint8Array {
  const planes = new Uint8Array((width * height * 3) / 2).fill(128);
  for (let i = 0; i < width * height; i++)
    planes[i] = Math.round(70 + (i % width) / 8 + Math.floor(i / width) / 9 + sigma * gaussian());
  return planes;
}

const smoothFace = () => new Int32Array(box.width * box.height).fill((255 << 24) | (128 << 16) | (128 << 8) | 120);

function blend(face: Int32Array, planes: Uint8Array, grain: Grain): void {
  const scratch = new Scratch();
  const pixels = scratch.take(face.byteLength);
  new Int32Array(scratch.buffer, pixels, face.length).set(face);
  blendPlanes(scratch, pixels, box, planes, format, grain);
}

function deviation(planes: Uint8Array): number {
  let sum = 0;
  let n = 0;
  for (let y = box.y; y < box.y + box.height; y++)
    for (let x = box.x; x < box.x + box.width; x++, n++) sum += (planes[y * width + x]! - 120) ** 2;
  return Math.sqrt(sum / n);
}

describe('Grain', () => {
  it('gives a smooth face the noise of the picture around it', () => {
    for (const sigma of [2, 4, 7]) {
      const planes = picture(sigma);
      const face = smoothFace();
      const grain = new Grain();
      grain.look(planes, width, height, box, new Uint8Array(face.buffer));
      blend(face, planes, grain);
      expect(Math.abs(deviation(planes) - sigma)).toBeLessThan(0.25 * sigma);
    }
  });

  it('adds nothing in a clean picture, nor to a face that has the same grain already', () => {
    const clean = new Grain();
    clean.look(picture(0.2), width, height, box, new Uint8Array(smoothFace().buffer));
    expect(clean.row()).toBeUndefined();
    const grainy = new Grain();
    const face = smoothFace().map((pixel) => (pixel & ~255) | Math.round(120 + 4 * gaussian()));
    grainy.look(picture(4), width, height, box, new Uint8Array(face.buffer));
    expect(grainy.sigma).toBeLessThan(2);
  });

  it('moves from frame to frame, and its strength changes slowly', () => {
    const grain = new Grain();
    const frame = () => {
      const planes = picture(4);
      const face = smoothFace();
      grain.look(planes, width, height, box, new Uint8Array(face.buffer));
      blend(face, planes, grain);
      return planes.subarray(box.y * width + box.x, box.y * width + box.x + box.width);
    };
    expect(frame()).not.toEqual(frame());
    const before = grain.sigma;
    grain.look(picture(9), width, height, box, new Uint8Array(smoothFace().buffer));
    expect(grain.sigma).toBeGreaterThan(before);
    expect(grain.sigma).toBeLessThan(before + 1);
  });

  it('keeps its last strength where the surroundings show nothing', () => {
    const grain = new Grain();
    grain.look(picture(4), width, height, box, new Uint8Array(smoothFace().buffer));
    const before = grain.sigma;
    grain.look(new Uint8Array(width * height).fill(255), width, height, box, new Uint8Array(smoothFace().buffer));
    expect(grain.sigma).toBe(before);
  });
});
