import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { faceMask, faceOutline, rasteriseMask, settle } from '../../src/core/face-mask.ts';
import { seededRandom } from '../../src/evaluate/metrics/statistics.ts';
import { mapPoints } from '../../src/track/canonical.ts';
import { FacePoints } from '../../src/track/face-points.ts';
import type { DrivenFace } from '../../src/track/field-fit.ts';
import { RestingFace } from '../../src/track/resting-face.ts';
import { neutralShape } from './fakes.ts';

const unknown = new Float32Array(4).fill(-1000);

/** A face as tracking has it, its points moved by `shift` canonical pixels and `noise` on each. */
function faces(count: number, { noise = 0, step = 0 } = {}): DrivenFace[] {
  const points = new FacePoints({ minCutoffHz: 0.7, beta: 0.4, speedCutoffHz: 4 });
  const random = seededRandom(3);
  return Array.from({ length: count }, (_, n) => {
    const found = neutralShape().map((v, i) => 2 * (v + noise * (random() - 0.5) + (i % 2 === 0 ? n * step : 0)));
    const face = points.update(found, unknown, 1 / 30)!;
    return { ...face, driven: face.own.map((v, i) => (i === 16 ? v + 2 : v)) };
  });
}

const maskOf = (face: DrivenFace) => {
  const mask = new Uint8Array(128 * 128);
  faceMask(face, mask);
  return mask;
};

describe('a face at rest', () => {
  it('has one crop and one mask, whatever its points tremble', () => {
    const resting = new RestingFace();
    // The first points are taken as they are found.
    const seen = faces(90, { noise: 0.6 })
      .map((face) => resting.follow(face))
      .slice(30);
    expect(new Set(seen.map((face) => JSON.stringify(face.toPicture))).size).toBe(1);
    const first = maskOf(seen[0]!);
    for (const face of seen) expect(Buffer.compare(maskOf(face), first)).toBe(0);
    // Without this, each has its own.
    const alone = faces(40, { noise: 0.6 });
    expect(new Set(alone.map((face) => JSON.stringify(face.toPicture))).size).toBeGreaterThan(30);
  });

  it('keeps every point where it was in the picture', () => {
    const resting = new RestingFace();
    for (const face of faces(30, { noise: 1, step: 0.4 })) {
      const rested = resting.follow(face);
      for (const which of ['own', 'driven', 'raw'] as const) {
        const [before, after] = [mapPoints(face.toPicture, face[which]), mapPoints(rested.toPicture, rested[which])];
        for (let i = 0; i < 136; i++) expect(after[i]).toBeCloseTo(before[i]!, 2);
        expect(rested[which].slice(136)).toEqual(unknown);
      }
    }
  });

  it('is followed when it moves, less than a pixel behind, and at once when it jumps', () => {
    const resting = new RestingFace();
    const corner = Float32Array.of(0, 0, 127, 127);
    for (const face of faces(30, { step: 1.5 })) {
      const rested = resting.follow(face);
      const [wanted, given] = [mapPoints(face.toPicture, corner), mapPoints(rested.toPicture, corner)];
      const scale = Math.hypot(face.toPicture.a, face.toPicture.d);
      for (let i = 0; i < 4; i++) expect(Math.abs(given[i]! - wanted[i]!) / scale).toBeLessThan(0.76);
    }
    const [far] = faces(1);
    const jumped = { ...far!, toPicture: { ...far!.toPicture, c: far!.toPicture.c + 300 } };
    expect(resting.follow(jumped).toPicture).toEqual(jumped.toPicture);
  });

  it('does not keep what was no number', () => {
    const spoilt = neutralShape().map((v, i) => (i === 20 ? Number.NaN : v));
    expect(settle(spoilt, neutralShape())[20]).toBe(neutralShape()[20]);
    const [face] = faces(1);
    const resting = new RestingFace();
    resting.follow({ ...face!, own: face!.own.map((v, i) => (i === 20 ? Number.NaN : v)) });
    expect(
      resting
        .follow(face!)
        .settled!.flatMap((points) => [...points])
        .every(Number.isFinite),
    ).toBe(true);
  });

  it('has a mask that hides all that its points as found, smoothed and driven would', () => {
    const shift = fc.double({ min: -3, max: 3, noNaN: true });
    const shifts = fc.array(shift, { minLength: 272, maxLength: 272 });
    fc.assert(
      fc.property(shifts, (by) => {
        const own = neutralShape();
        const raw = own.map((v, i) => v + by[i]!);
        const driven = own.map((v, i) => v + by[136 + i]!);
        const mask = new Uint8Array(128 * 128);
        faceMask({ own, driven, raw }, mask);
        const needed = new Uint8Array(128 * 128);
        // The forehead's outline lies beyond the brows by a third of the face: what counts as noise there is larger in proportion.
        rasteriseMask([own, driven, raw].map(faceOutline), needed, 3);
        for (let p = 0; p < needed.length; p++) if (needed[p]) expect(mask[p]).toBe(255);
      }),
      { numRuns: 20 },
    );
  });
});
