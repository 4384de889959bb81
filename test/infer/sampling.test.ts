import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { faceOutline, rasteriseMask } from '../../src/core/face-mask.ts';
import type { Affine } from '../../src/core/face-track.ts';
import { squareSampling, windowSampling } from '../../src/infer/sample.ts';
import { samplePlane } from '../support/sample-plane.ts';

const W = 97;
const H = 71;
const plane = Uint8Array.from({ length: W * H }, (_, i) => (i * 2654435761) >>> 24);

const taps = (step: number) => Math.max(1, Math.min(4, Math.round(step)));

/** Bilinear at every tap, point by point. */
function reference(s: Affine, width: number, height: number, tapsU: number, tapsV: number): number[] {
  const at = (x: number, y: number) => plane[y * W + x]!;
  const out: number[] = [];
  for (let v = 0; v < height; v++) {
    for (let u = 0; u < width; u++) {
      let sum = 0;
      for (let j = 0; j < tapsV; j++) {
        for (let i = 0; i < tapsU; i++) {
          const tu = u + (i + 0.5) / tapsU - 0.5;
          const tv = v + (j + 0.5) / tapsV - 0.5;
          const x = Math.max(0, Math.min(W - 1, s.a * tu + s.b * tv + s.c));
          const y = Math.max(0, Math.min(H - 1, s.d * tu + s.e * tv + s.f));
          const [x0, y0] = [Math.floor(x), Math.floor(y)];
          const [x1, y1] = [Math.min(W - 1, x0 + 1), Math.min(H - 1, y0 + 1)];
          const [fx, fy] = [x - x0, y - y0];
          sum += (at(x0, y0) * (1 - fx) + at(x1, y0) * fx) * (1 - fy) + (at(x0, y1) * (1 - fx) + at(x1, y1) * fx) * fy;
        }
      }
      out.push(sum / tapsU / tapsV);
    }
  }
  return out;
}

function largestDifference(s: Affine, width: number, height: number, tapsU: number, tapsV: number): number {
  const out = samplePlane({ samples: plane, width: W, height: H }, s, { width, height });
  return Math.max(...reference(s, width, height, tapsU, tapsV).map((value, i) => Math.abs(value - out[i]!)));
}

describe('sampling a plane', () => {
  it('resizes windows in every quarter turn, over the edge too, as point by point bilinear taps would', () => {
    const window = fc.record({
      x: fc.integer({ min: -20, max: 60 }),
      y: fc.integer({ min: -20, max: 40 }),
      width: fc.integer({ min: 8, max: 120 }),
      height: fc.integer({ min: 8, max: 90 }),
      quarterTurns: fc.constantFrom(0, 1, 2, 3) as fc.Arbitrary<0 | 1 | 2 | 3>,
    });
    fc.assert(
      fc.property(window, (w) => {
        const s = windowSampling(w, 16, 12);
        const [u, v] = [taps(Math.hypot(s.a, s.d)), taps(Math.hypot(s.b, s.e))];
        expect(largestDifference(s, 16, 12, u, v)).toBeLessThan(0.25);
      }),
      { numRuns: 60 },
    );
  });

  it('warps turned squares as point by point bilinear taps would', () => {
    const square = fc.record({
      cx: fc.double({ min: 0, max: 97, noNaN: true }),
      cy: fc.double({ min: 0, max: 71, noNaN: true }),
      side: fc.double({ min: 6, max: 150, noNaN: true }),
      angle: fc.double({ min: 0.1, max: 1.4, noNaN: true }),
    });
    fc.assert(
      fc.property(square, (crop) => {
        const s = squareSampling(crop, 12);
        const n = taps(crop.side / 12 / 2);
        expect(largestDifference(s, 12, 12, n, n)).toBeLessThan(0.05);
      }),
      { numRuns: 60 },
    );
  });
});

describe('the mask of a face', () => {
  it('holds exactly the pixels within 3.5 of the outline or inside it', () => {
    const coordinate = fc.double({ min: 8, max: 120, noNaN: true });
    fc.assert(
      fc.property(fc.array(coordinate, { minLength: 140, maxLength: 140 }), (numbers) => {
        const outline = faceOutline(Float32Array.from(numbers));
        const mask = new Uint8Array(128 * 128);
        rasteriseMask([outline], mask);
        const n = outline.length / 2;
        for (let y = 0; y < 128; y += 3) {
          for (let x = 0; x < 128; x += 3) {
            let inside = true;
            let nearest = Number.POSITIVE_INFINITY;
            for (let i = 0; i < n; i++) {
              const [ax, ay] = [outline[2 * i]!, outline[2 * i + 1]!];
              const [vx, vy] = [outline[(2 * i + 2) % (2 * n)]! - ax, outline[(2 * i + 3) % (2 * n)]! - ay];
              if (vx * (y - ay) - vy * (x - ax) >= 0) continue;
              inside = false;
              const t = Math.max(0, Math.min(1, ((x - ax) * vx + (y - ay) * vy) / (vx * vx + vy * vy)));
              nearest = Math.min(nearest, Math.hypot(x - ax - t * vx, y - ay - t * vy));
            }
            if (Math.abs(nearest - 3.5) < 1e-3) continue;
            expect(mask[y * 128 + x] !== 0).toBe(inside || nearest < 3.5);
          }
        }
      }),
      { numRuns: 30 },
    );
  });
});
