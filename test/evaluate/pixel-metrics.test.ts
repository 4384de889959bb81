import { describe, expect, it } from 'vitest';
import { backgroundPsnr, backgroundSsim, UNTOUCHED_DB } from '../../src/evaluate/metrics/background.ts';
import { expressionError, interOcular, poseError } from '../../src/evaluate/metrics/landmark-error.ts';
import { lightAsymmetry, siMse } from '../../src/evaluate/metrics/si-mse.ts';
import { seededRandom } from '../../src/evaluate/metrics/statistics.ts';

function noise(length: number, seed = 3): Float32Array {
  const random = seededRandom(seed);
  return Float32Array.from({ length }, random);
}

/** A face whose eye centres are 10 apart. */
function face(): Float32Array {
  const points = new Float32Array(136);
  for (let i = 42; i < 48; i++) points[i * 2] = 10;
  return points;
}

describe('Si-MSE', () => {
  const picture = noise(300);
  const mask = new Uint8Array(100).fill(1);

  it('is 0 for identical pictures and for a constant change of brightness', () => {
    expect(siMse(picture, picture, mask)).toBeCloseTo(0, 9);
    expect(
      siMse(
        picture,
        picture.map((v) => v * 0.4),
        mask,
      ),
    ).toBeCloseTo(0, 9);
  });

  it('keeps the colour of the light: one factor for three channels', () => {
    const warm = picture.map((v, i) => (i % 3 === 0 ? v : v * 0.5));
    expect(siMse(picture, warm, mask)).toBeGreaterThan(0.01);
  });

  it('matches a hand-worked pair', () => {
    // I = (1, 0), Î = (1, 1): α = 1/2, mean of (1/4, 1/4).
    expect(siMse(Float32Array.from([1, 0]), Float32Array.from([1, 1]), new Uint8Array([1, 1]), 1)).toBeCloseTo(0.25, 6);
  });

  it('looks only inside the mask, and an empty one is not a number', () => {
    const half = new Uint8Array(100).fill(1, 0, 50);
    const changed = picture.map((v, i) => (i < 150 ? v : 0));
    expect(siMse(picture, changed, half)).toBeCloseTo(0, 9);
    expect(siMse(picture, changed, new Uint8Array(100))).toBeNaN();
  });

  it('ranks one-sided light above even light', () => {
    const even = new Float32Array(300).fill(0.5);
    const hard = even.map((v, i) => (Math.floor(i / 3) % 10 < 5 ? v : v / 4));
    expect(lightAsymmetry(even, mask, 10)).toBeCloseTo(0, 6);
    expect(lightAsymmetry(hard, mask, 10)).toBeCloseTo(0.6, 5);
  });
});

describe('landmark errors', () => {
  it('normalises the mean of (|Δx| + |Δy|)/2 by the distance between the eye centres', () => {
    const moved = face().map((v, i) => v + (i % 2 === 0 ? 1 : 3));
    expect(interOcular(face())).toBe(10);
    expect(poseError(face(), moved)).toBeCloseTo(0.2, 6);
    expect(expressionError(face(), moved)).toBeCloseTo(0.2, 6);
  });

  it('leaves the contour out of the expression error', () => {
    const jaw = face().map((v, i) => (i < 34 ? v + 2 : v));
    expect(expressionError(face(), jaw)).toBe(0);
    expect(poseError(face(), jaw)).toBeCloseTo((0.2 * 17) / 68, 6);
  });

  it('is not a number without two eyes', () => {
    expect(poseError(new Float32Array(136), face())).toBeNaN();
  });
});

describe('background', () => {
  const picture = Uint8Array.from(noise(16 * 16 * 3), (v) => v * 255);
  const keep = new Uint8Array(256).fill(1);

  it('reports untouched pixels as untouched', () => {
    expect(backgroundPsnr(picture, picture, keep)).toBe(UNTOUCHED_DB);
    expect(backgroundSsim(picture, picture, keep, 16)).toBeCloseTo(1, 9);
  });

  it('gives 20·log10(255/10) for a change by 10 everywhere', () => {
    const grey = new Uint8Array(768).fill(100);
    expect(
      backgroundPsnr(
        grey,
        grey.map((v) => v + 10),
        keep,
      ),
    ).toBeCloseTo(28.13, 2);
  });

  it('ignores the faces', () => {
    const face = keep.map((_, p) => (p < 128 ? 0 : 1));
    const changed = picture.map((v, i) => (i < 384 ? 255 - v : v));
    expect(backgroundPsnr(picture, changed, face)).toBe(UNTOUCHED_DB);
    expect(backgroundSsim(picture, changed, face, 16)).toBeCloseTo(1, 9);
    expect(backgroundSsim(picture, changed, keep, 16)).toBeLessThan(0.6);
  });
});
