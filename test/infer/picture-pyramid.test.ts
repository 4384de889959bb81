import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { PictureFormat } from '../../src/core/video-frame.ts';
import { HalvedPlanes } from '../../src/infer/picture-pyramid.ts';
import { PictureSampler, windowSampling } from '../../src/infer/sample.ts';
import { demoPhoto } from '../support/demo-photo.ts';

const formatOf = (width: number, height: number): PictureFormat => ({
  width,
  height,
  colour: { matrix: 'bt709', range: 'limited' },
});
const bytesOf = (w: number, h: number) => w * h + 2 * ((w + 1) >> 1) * ((h + 1) >> 1);
const noise = (n: number, seed: number) =>
  Uint8Array.from({ length: n }, (_, i) => Math.imul(i + seed, 2654435761) >>> 24);

describe('HalvedPlanes', () => {
  it('holds the mean of four samples, an odd edge repeated, whatever the size', () => {
    const sizes = fc.record({ width: fc.integer({ min: 2, max: 70 }), height: fc.integer({ min: 2, max: 40 }) });
    fc.assert(
      fc.property(sizes, fc.nat(1000), ({ width, height }, seed) => {
        const planes = noise(bytesOf(width, height), seed);
        const half = new HalvedPlanes().load(planes, formatOf(width, height)).plane(0, 2.9);
        expect([half.width, half.height, half.reduction]).toEqual([(width + 1) >> 1, (height + 1) >> 1, 2]);
        for (let y = 0; y < half.height; y++)
          for (let x = 0; x < half.width; x++) {
            const at = (dx: number, dy: number) =>
              planes[Math.min(height - 1, 2 * y + dy) * width + Math.min(width - 1, 2 * x + dx)]!;
            expect(half.samples[y * half.width + x]).toBe((at(0, 0) + at(1, 0) + at(0, 1) + at(1, 1) + 2) >> 2);
          }
      }),
    );
  });

  it('never shows the last picture, in the same memory or of another size', () => {
    const planes = new Uint8Array(bytesOf(64, 48)).fill(200);
    const pyramid = new HalvedPlanes().load(planes, formatOf(64, 48));
    for (const channel of [0, 1, 2] as const) expect(pyramid.plane(channel, 8).samples[0]).toBe(200);
    planes.fill(50);
    pyramid.load(planes, formatOf(64, 48));
    for (const channel of [0, 1, 2] as const)
      for (const step of [8, 4, 2, 1]) expect(pyramid.plane(channel, step).samples.every((v) => v === 50)).toBe(true);
    pyramid.load(new Uint8Array(bytesOf(48, 64)).fill(9), formatOf(48, 64));
    const quarter = pyramid.plane(0, 5);
    expect([quarter.width, quarter.height, quarter.samples[3]]).toEqual([12, 16, 9]);
  });

  it('gives a detector and a landmark model what many taps would have given', () => {
    const photo = demoPhoto(3);
    const { width, height } = photo.format;
    const pyramid = new HalvedPlanes().load(photo.planes, photo.format);
    const windows = [
      { x: 0, y: -120, width: 1280, height: 960, quarterTurns: 0 },
      { x: width - 640, y: height - 480, width: 640, height: 480, quarterTurns: 0 },
      { x: 300, y: 0, width: 540, height: 720, quarterTurns: 1 },
      { x: 411, y: 93, width: 700, height: 525, quarterTurns: 2 },
    ] as const;
    for (const window of windows) {
      const sampler = new PictureSampler(320, 240);
      const s = windowSampling(window, 320, 240);
      const [taps, reduced] = [new Float32Array(3 * 320 * 240), new Float32Array(3 * 320 * 240)];
      sampler.rgb(photo, s, taps, 0, 1);
      sampler.rgb({ ...photo, pyramid }, s, reduced, 0, 1);
      const apart = taps.map((v, i) => Math.abs(v - reduced[i]!));
      expect(apart.reduce((sum, v) => sum + v, 0) / apart.length).toBeLessThan(1.5);
    }
  });
});
