import { describe, expect, it } from 'vitest';
import { planeLayout } from '../../src/core/video-frame.ts';
import type { Picture } from '../../src/core/vision.ts';
import { HalvedPlanes } from '../../src/infer/picture-pyramid.ts';
import { JawEdge, jawExtents, widened } from '../../src/track/jaw-edge.ts';

const [WIDTH, HEIGHT] = [640, 640];
const SCALE = 2.5;
const TO_PICTURE = { a: SCALE, b: 0, c: 160, d: 0, e: SCALE, f: 160 };
const [CX, CY, RX, RY] = [64, 60, 38, 50];

/** A contour of half an ellipse, the nose in its middle, canonical pixels. */
function contour(): Float32Array {
  const points = new Float32Array(140).fill(64);
  for (let i = 0; i < 17; i++) {
    const angle = (Math.PI * i) / 16;
    points.set([CX - RX * Math.cos(angle), CY + RY * Math.sin(angle)], 2 * i);
  }
  for (let i = 27; i < 36; i++) points.set([CX, CY], 2 * i);
  return points;
}

/** A face whose edge lies `beyond` canonical pixels outside that contour. */
function picture(
  beyond: number,
  skin: readonly number[],
  wall: readonly number[],
  noise = 0,
  hair: readonly number[] = skin,
  hairFrom = -1,
): Picture {
  const format = { width: WIDTH, height: HEIGHT, colour: { matrix: 'bt601', range: 'limited' } } as const;
  const { chromaWidth, cbOffset, crOffset, byteLength } = planeLayout(WIDTH, HEIGHT);
  const planes = new Uint8Array(byteLength);
  let seed = 1;
  for (let y = 0; y < HEIGHT; y++) {
    for (let x = 0; x < WIDTH; x++) {
      const [u, v] = [(x - TO_PICTURE.c) / SCALE - CX, (y - TO_PICTURE.f) / SCALE - CY];
      const within = (by: number) => Math.hypot(u / (RX + by), v / (RY + by)) < 1;
      const [l, cb, cr] = within(hairFrom) ? skin : within(beyond) ? hair : wall;
      seed = (seed * 1103515245 + 12345) & 0x7fffffff;
      planes[y * WIDTH + x] = l! + noise * (seed / 2 ** 30 - 1);
      const at = (y >> 1) * chromaWidth + (x >> 1);
      planes[cbOffset + at] = cb!;
      planes[crOffset + at] = cr!;
    }
  }
  return { planes, format };
}

const SKINS = { dark: [60, 118, 140], light: [170, 112, 152] } as const;
const WALLS = { white: [220, 128, 128], black: [25, 128, 128], green: [165, 100, 110] } as const;
const MEASURED = [3, 4, 5, 11, 12, 13];

describe('the edge of a jaw', () => {
  it.each(Object.entries(SKINS))('is found beyond the contour before any wall: %s skin', (_, skin) => {
    for (const wall of [WALLS.white, WALLS.green]) {
      const extents = jawExtents(picture(4, skin, wall, 6), TO_PICTURE, contour());
      for (const i of MEASURED) expect(Math.abs(extents[i]! - 4)).toBeLessThan(1.1);
      for (const i of [0, 1, 7, 8, 9, 15, 16]) expect(extents[i]).toBe(0);
    }
  });

  it('is the end of a beard, not where it begins', () => {
    const extents = jawExtents(picture(5, SKINS.light, WALLS.white, 6, [95, 122, 134], -3), TO_PICTURE, contour());
    for (const i of MEASURED) expect(Math.abs(extents[i]! - 5)).toBeLessThan(1.1);
  });

  it('is the nearer one where hair lies between skin and wall', () => {
    const extents = jawExtents(picture(6, SKINS.light, WALLS.white, 6, [40, 126, 130]), TO_PICTURE, contour());
    expect(Math.max(...extents)).toBeLessThan(1);
  });

  it('is the same with the smaller forms of the picture at hand', () => {
    const plain = picture(4, SKINS.light, WALLS.black, 6);
    const pyramid = new HalvedPlanes().load(plain.planes, plain.format);
    const extents = jawExtents({ ...plain, pyramid }, TO_PICTURE, contour());
    for (const i of MEASURED) expect(Math.abs(extents[i]! - 4)).toBeLessThan(1.1);
  });

  it('hardly moves anything where the contour is right, or too wide', () => {
    for (const beyond of [0, 1, -4]) {
      const extents = jawExtents(picture(beyond, SKINS.light, WALLS.black, 6), TO_PICTURE, contour());
      expect(Math.max(...extents)).toBeLessThan(1);
    }
  });

  it('moves nothing where no edge is to be seen, in a face too small, and without points', () => {
    const bare = picture(40, SKINS.light, WALLS.black);
    expect([...jawExtents(bare, TO_PICTURE, contour())]).toEqual(Array(17).fill(0));
    const wide = picture(4, SKINS.light, WALLS.black);
    const small = { ...TO_PICTURE, a: 0.5, e: 0.5 };
    expect([...jawExtents(wide, small, contour())]).toEqual(Array(17).fill(0));
    expect([...jawExtents(wide, TO_PICTURE, new Float32Array(140).fill(Number.NaN))]).toEqual(Array(17).fill(0));
  });

  it('is never looked for beyond the picture, where sampling repeats its edge', () => {
    const wide = picture(4, SKINS.light, WALLS.black);
    const outside = { ...TO_PICTURE, c: -26 * SCALE - 0.5 };
    const extents = jawExtents(wide, outside, contour());
    expect([...extents].every(Number.isFinite)).toBe(true);
    for (const i of [2, 3, 4]) expect(extents[i]).toBe(0);
  });
});

describe('a widened contour', () => {
  it('moves away from the middle of the face, and nothing else moves', () => {
    const points = contour();
    const extents = new Float32Array(17);
    extents[3] = 3;
    const out = widened(points, extents);
    const distance = (p: Float32Array, i: number) => Math.hypot(p[2 * i]! - CX, p[2 * i + 1]! - CY);
    expect(distance(out, 3) - distance(points, 3)).toBeCloseTo(3, 4);
    for (let i = 0; i < 140; i++) if (i >> 1 !== 3) expect(out[i]).toBe(points[i]);
  });

  it('takes the first frame as it is and glides from there', () => {
    const jaw = new JawEdge();
    const [none, some] = [new Float32Array(17), new Float32Array(17).fill(4)];
    expect(jaw.update(some, 0)[5]).toBe(4);
    const next = jaw.update(none, 1 / 30)[5]!;
    expect(next).toBeGreaterThan(3.5);
    expect(next).toBeLessThan(4);
    let last = next;
    for (let i = 0; i < 90; i++) last = jaw.update(none, 1 / 30)[5]!;
    expect(last).toBeLessThan(0.1);
  });
});
