import { describe, expect, it } from 'vitest';
import { CROP_SIZE } from '../../src/core/face-track.ts';
import { Sharpness, sharpen } from '../../src/gpu-post/sharpness.ts';
import { addSkinTexture } from '../../src/gpu-post/skin-texture.ts';
import { PictureSampler } from '../../src/infer/sample.ts';
import { demoPhoto } from '../support/demo-photo.ts';

const AREA = CROP_SIZE * CROP_SIZE;
const everywhere = new Uint8Array(AREA).fill(255);

/** A face of a photograph, RGBA size². @param radius of a box blur, in pixels */
function photographed(size: number, radius = 0): Uint8Array {
  const step = (1.3 * CROP_SIZE) / size;
  const planar = new Float32Array(3 * size * size);
  new PictureSampler(size, size).rgb(demoPhoto(3), { a: step, b: 0, c: 650, d: 0, e: step, f: 60 }, planar, 0, 1);
  const at = (c: number, x: number, y: number) => {
    let sum = 0;
    for (let j = -radius; j <= radius; j++)
      for (let i = -radius; i <= radius; i++) {
        const [u, v] = [Math.max(0, Math.min(size - 1, x + i)), Math.max(0, Math.min(size - 1, y + j))];
        sum += planar[c * size * size + v * size + u]!;
      }
    return sum / (2 * radius + 1) ** 2;
  };
  return Uint8Array.from({ length: 4 * size * size }, (_, i) => {
    const pixel = i >> 2;
    return i % 4 === 3 ? 255 : Math.round(Math.min(255, at(i % 4, pixel % size, Math.floor(pixel / size))));
  });
}

function finished(crop: Uint8Array, face: Uint8Array, scale = 2, noise = 0) {
  const sharpness = new Sharpness();
  const drawn = Uint8Array.from(face);
  sharpness.finish(crop, drawn, everywhere, scale, noise);
  return { drawn, sharpness };
}

function noisy(rgba: Uint8Array, sigma: number): Uint8Array {
  const out = Uint8Array.from(rgba);
  for (let p = 0; p < out.length; p += 4) {
    const n = sigma * 2 * (Math.random() + Math.random() + Math.random() - 1.5);
    for (let c = 0; c < 3; c++) out[p + c] = Math.max(0, Math.min(255, Math.round(rgba[p + c]! + n)));
  }
  return out;
}

/** Half the sum of the differences of a picture's neighbours. */
function edges(rgba: Uint8Array): number {
  let sum = 0;
  for (let i = 0; i < rgba.length - 4; i += 4) sum += Math.abs(rgba[i + 5]! - rgba[i + 1]!);
  return sum;
}

describe('the sharpness of a generated face', () => {
  const sharp = photographed(CROP_SIZE);
  const soft = photographed(CROP_SIZE, 1);
  const softest = photographed(CROP_SIZE, 2);

  it('grows where the picture is sharper than it, and stays where it is not', () => {
    const { drawn, sharpness } = finished(sharp, softest);
    expect(sharpness.sharpening).toBeGreaterThan(0.5);
    expect(edges(drawn)).toBeGreaterThan(1.04 * edges(softest));
    expect(edges(drawn)).toBeLessThan(edges(sharp));
    const stays = finished(softest, sharp);
    expect(stays.sharpness.sharpening).toBe(0);
    expect(stays.sharpness.texture).toBe(0);
    expect(stays.drawn).toEqual(sharp);
  });

  it('is the same at 256 pixels as at 128', () => {
    const [a, b] = [finished(sharp, softest), finished(sharp, photographed(256, 4))];
    expect(b.sharpness.sharpening).toBeCloseTo(a.sharpness.sharpening, 0);
    expect(edges(b.drawn)).toBeGreaterThan(edges(photographed(256, 4)));
  });

  it('does not take the noise of a camera for edges, nor what the grain knows of it for skin', () => {
    const quiet = finished(soft, soft).sharpness;
    const told = finished(noisy(soft, 4), soft, 2, 4 / 0.7).sharpness;
    const untold = finished(noisy(soft, 4), soft).sharpness;
    expect(quiet).toMatchObject({ sharpening: 0, texture: 0 });
    expect(told.sharpening).toBeLessThan(0.25);
    expect(untold.sharpening).toBeLessThan(0.25);
    expect(told.texture).toBeLessThan(untold.texture / 2);
  });

  it('learns two numbers of the original, and nothing of where its features are', () => {
    // Turned upside down within what is looked at.
    const [X0, X1, Y0, Y1] = [32, 96, 32, 112];
    const inside = Uint8Array.from(sharp);
    for (let y = Y0; y < Y1; y++)
      for (let x = X0; x < X1; x++)
        for (let c = 0; c < 4; c++)
          inside[4 * (y * CROP_SIZE + x) + c] = sharp[4 * ((Y0 + Y1 - 1 - y) * CROP_SIZE + X0 + X1 - 1 - x) + c]!;
    expect(inside).not.toEqual(sharp);
    const [one, other] = [finished(sharp, softest), finished(inside, softest)];
    expect(Math.abs(other.sharpness.sharpening - one.sharpness.sharpening)).toBeLessThan(0.2);
    expect(Math.abs(other.sharpness.texture - one.sharpness.texture)).toBeLessThan(0.001);
  });

  it('leaves small faces as they are', () => {
    const { drawn, sharpness } = finished(sharp, softest, 0.8);
    expect(drawn).toEqual(softest);
    expect(Math.max(...sharpness.skin)).toBe(0);
  });

  it('changes nothing where there is no skin, and no chroma anywhere', () => {
    const weights = everywhere.map((_, i) => (i % CROP_SIZE < 64 ? 255 : 0));
    const face = Uint8Array.from(soft);
    sharpen(face, CROP_SIZE, 1, weights);
    for (let i = 0; i < AREA; i++) {
      const [p, q] = [face.subarray(4 * i, 4 * i + 4), soft.subarray(4 * i, 4 * i + 4)];
      if (i % CROP_SIZE >= 64) expect(p).toEqual(q);
      else if (Math.min(...p.subarray(0, 3)) > 0 && Math.max(...p.subarray(0, 3)) < 255)
        expect(Math.abs(p[0]! - p[2]! - (q[0]! - q[2]!))).toBeLessThanOrEqual(1);
    }
  });
});

describe('the texture of skin', () => {
  const box = { x: 100, y: 80, width: 256, height: 256 };
  const grey = () => new Int32Array(box.width * box.height).fill((255 << 24) | (120 << 16) | (130 << 8) | 100);
  const at2 = { a: 2, b: 0, c: 100, d: 0, e: 2, f: 80 };
  const luma = (pixels: Int32Array) => Float64Array.from(pixels, (p) => (p & 255) - 100);
  const deviation = (v: Float64Array) => Math.sqrt(v.reduce((sum, x) => sum + x * x, 0) / v.length);

  it('is as strong as asked for, in proportion to luma, in luma alone', () => {
    const pixels = grey();
    addSkinTexture(pixels, box, at2, everywhere, 0.012);
    const d = deviation(luma(pixels));
    expect(d).toBeGreaterThan(1.5);
    expect(d).toBeLessThan(2.5);
    expect([...pixels].every((p) => p >>> 8 === grey()[0]! >>> 8)).toBe(true);
  });

  it('moves with the face', () => {
    const [here, there] = [grey(), grey()];
    addSkinTexture(here, box, at2, everywhere, 0.02);
    addSkinTexture(there, box, { ...at2, c: 105, f: 83 }, everywhere, 0.02);
    let [same, all] = [0, 0];
    for (let y = 0; y < 200; y++)
      for (let x = 0; x < 200; x++, all++)
        if (Math.abs((here[y * 256 + x]! & 255) - (there[(y + 3) * 256 + x + 5]! & 255)) <= 1) same++;
    expect(same / all).toBeGreaterThan(0.99);
  });

  it('is only where the face is opaque and skin', () => {
    const pixels = grey().map((p, i) => (i % 2 ? p : (p & 0xffffff) | (200 << 24)));
    const before = Int32Array.from(pixels);
    addSkinTexture(
      pixels,
      box,
      at2,
      everywhere.map((_, i) => (i < AREA / 2 ? 255 : 0)),
      0.02,
    );
    const changed = pixels.map((p, i) => Number(p !== before[i]));
    expect(changed.filter((_, i) => i % 2 === 0).some(Boolean)).toBe(false);
    expect(changed.subarray(256 * 130).some(Boolean)).toBe(false);
    expect(changed.some(Boolean)).toBe(true);
  });
});
