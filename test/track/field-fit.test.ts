import { describe, expect, it } from 'vitest';
import { faceOutline } from '../../src/core/face-mask.ts';
import { canonicalToPicture, invert, mapPoints } from '../../src/track/canonical.ts';
import { fitIntoField, fittedCrop } from '../../src/track/field-fit.ts';
import { shapes } from '../support/shapes.ts';

/** As the tracker has it: aligned by its own points, which lie in a picture. */
function aligned(points: Float32Array) {
  const turned = { a: 1.4, b: -0.5, c: 300, d: 0.5, e: 1.4, f: 200 };
  const inPicture = mapPoints(turned, points);
  const toPicture = canonicalToPicture(inPicture)!;
  const own = mapPoints(invert(toPicture), inPicture);
  return { inPicture, face: { toPicture, own, raw: own, driven: own } };
}

describe('fitting a face into the canonical field', () => {
  it('brings all of it in, and shows the same place of the picture', () => {
    let changed = 0;
    for (const points of shapes(200, 1)) {
      const { inPicture, face } = aligned(points);
      const fitted = fitIntoField(face)!;
      expect(fitted).toBeDefined();
      const outline = faceOutline(fitted.face.own);
      expect(Math.min(...outline)).toBeGreaterThanOrEqual(2.49);
      expect(Math.max(...outline)).toBeLessThanOrEqual(124.51);
      const back = mapPoints(fitted.face.toPicture, fitted.face.own);
      for (let i = 0; i < 136; i++) expect(back[i]).toBeCloseTo(inPicture[i]!, 2);
      if (fitted.fit.scale !== 1 || fitted.fit.y !== 0) changed++;
      expect(fittedCrop(face.toPicture, fitted.fit)).toEqual(fitted.face.toPicture);
    }
    // The case there is this for.
    expect(changed).toBeGreaterThan(10);
  });

  it('leaves a face alone that lies in it, and gives up on one that is too long or no number', () => {
    const inside = shapes(50, 2).map((points) => aligned(points).face);
    const same = inside.filter(
      (face) => Math.max(...faceOutline(face.own)) < 124 && Math.min(...faceOutline(face.own)) > 3,
    );
    expect(same.length).toBeGreaterThan(10);
    for (const face of same) expect(fitIntoField(face)!.face).toBe(face);
    const long = Float32Array.from(inside[0]!.own);
    long[17] = 190;
    expect(fitIntoField({ ...inside[0]!, raw: long })).toBeUndefined();
    for (let i = 0; i < 136; i++) {
      const spoilt = aligned(shapes(1, 2)[0]!).face;
      const own = spoilt.own.map((v, at) => (at === i ? Number.NaN : v));
      expect(fitIntoField({ ...spoilt, own }), String(i)).toBeUndefined();
      expect(fitIntoField({ ...spoilt, raw: own }), String(i)).toBeUndefined();
    }
    long[17] = Number.NaN;
    expect(fitIntoField({ ...inside[0]!, raw: long })).toBeUndefined();
  });

  it('moves little when the points do', () => {
    for (const points of shapes(40, 3)) {
      const moved = points.map((v, i) => (i < 136 ? v + 0.2 * Math.sin(7 * i) : v));
      const [a, b] = [points, moved].map((p) => fitIntoField(aligned(p).face)!.face);
      const [before, after] = [a!, b!].map((f) => mapPoints(f.toPicture, Float32Array.of(64, 64)));
      expect(Math.hypot(before![0]! - after![0]!, before![1]! - after![1]!)).toBeLessThan(1.5);
    }
  });
});
