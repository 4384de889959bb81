import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { associate } from '../../src/track/association.ts';
import { canonicalToPicture, invert, mapPoints, moved, rollOf } from '../../src/track/canonical.ts';
import { coverArea } from '../../src/track/cover-region.ts';
import { containment } from '../../src/track/geometry.ts';
import { type Found, mergeFound } from '../../src/track/merge.ts';
import { stillWindows } from '../../src/track/still-windows.ts';
import { faceWindows, tileGrid, WindowSchedule, windowAround } from '../../src/track/tiles.ts';
import { neutralShape } from './fakes.ts';

const HD = { width: 1280, height: 720, colour: { matrix: 'bt709', range: 'limited' } } as const;
const found = (x: number, y: number, size: number, score: number, more: Partial<Found> = {}): Found => ({
  x,
  y,
  width: size,
  height: size,
  score,
  angle: 0,
  clipped: false,
  ...more,
});

describe('canonical crop', () => {
  it('is the contract of the generator: eyes level, side 3.4 times the larger of eye and mouth distance', () => {
    const points = neutralShape();
    const t = canonicalToPicture(points)!;
    // Eyes at (45, 50) and (83, 50), mouth corners' middle at (64, 92).
    const side = 3.4 * Math.max(38, 0.93 * 42);
    expect(t.a * 128).toBeCloseTo(side, 4);
    expect(t.b).toBeCloseTo(0, 6);
    expect(t.a * 64 + t.c).toBeCloseTo(64, 4);
    expect(t.e * 64 + t.f).toBeCloseTo(50 + 0.28 * 42, 4);
  });

  it('turns, moves and scales with the face', () => {
    fc.assert(
      fc.property(
        fc.double({ min: -3, max: 3, noNaN: true }),
        fc.double({ min: 0.2, max: 6, noNaN: true }),
        fc.double({ min: -200, max: 500, noNaN: true }),
        (angle, scale, shift) => {
          const cos = scale * Math.cos(angle);
          const sin = scale * Math.sin(angle);
          const base = neutralShape();
          const there = mapPoints({ a: cos, b: -sin, c: shift, d: sin, e: cos, f: 2 * shift }, base);
          const inCrop = mapPoints(invert(canonicalToPicture(base)!), base);
          const inOther = mapPoints(invert(canonicalToPicture(there)!), there);
          for (let i = 0; i < 136; i++) expect(inOther[i]!).toBeCloseTo(inCrop[i]!, 1);
          expect(Math.cos(rollOf(there) - angle)).toBeCloseTo(1, 4);
        },
      ),
    );
  });

  it('points without extent have none', () => {
    expect(canonicalToPicture(new Float32Array(136).fill(5))).toBeUndefined();
  });

  it('a held crop moves with its box', () => {
    const t = moved({ a: 1, b: 0, c: 10, d: 0, e: 1, f: 20 }, { x: 50, y: 50 }, { x: 60, y: 45 }, 2);
    expect([t.a * 40 + t.c, t.e * 30 + t.f]).toEqual([60, 45]);
  });
});

describe('association', () => {
  it('takes the best assignment of all, not the best pair first', () => {
    const boxes = [found(0, 0, 100, 1), found(60, 0, 100, 1)];
    const now = [found(55, 0, 100, 1), found(110, 0, 100, 1)];
    expect(associate(boxes, now).pairs).toEqual([
      [0, 0],
      [1, 1],
    ]);
  });

  it('pairs nothing across the picture or of another size', () => {
    const result = associate([found(0, 0, 50, 1)], [found(600, 0, 50, 1), found(0, 0, 200, 1)]);
    expect(result).toEqual({ pairs: [], missed: [0], fresh: [0, 1] });
  });
});

describe('merging of windows', () => {
  it('sees one face in two windows once, between the two boxes', () => {
    const merged = mergeFound([found(100, 100, 80, 0.9), found(104, 100, 80, 0.9)], 0.75);
    expect(merged).toHaveLength(1);
    expect(merged[0]!.x).toBeCloseTo(102);
  });

  it('drops the part of a face that a tile has cut off', () => {
    const part = { ...found(100, 100, 80, 0.95, { clipped: true }), height: 30 };
    expect(mergeFound([part, found(100, 100, 80, 0.8)], 0.75)).toMatchObject([{ height: 80 }]);
  });

  it('takes the larger for the face when a part of it is the more certain', () => {
    const half = { ...found(100, 100, 80, 0.99), height: 45 };
    expect(mergeFound([half, found(95, 90, 100, 0.97)], 0.75)).toMatchObject([{ height: 100, score: 0.99 }]);
    expect(mergeFound([half, found(95, 90, 100, 0.5)], 0.75)).toMatchObject([{ height: 45 }]);
  });

  it('keeps a certain small face within a large one, and the large one around it', () => {
    const big = found(0, 0, 200, 0.9);
    expect(mergeFound([big, found(20, 20, 40, 0.9)], 0.75)).toHaveLength(2);
    expect(mergeFound([big, found(20, 20, 40, 0.97)], 0.75)).toHaveLength(2);
    expect(mergeFound([big, found(20, 20, 40, 0.5)], 0.75)).toHaveLength(1);
  });

  it('keeps an uncertain one too when it lies in a corner of the large one, beside the face that is drawn there', () => {
    const big = found(0, 0, 200, 0.9);
    for (const [x, y] of [
      [-8, -8],
      [162, 162],
      [160, -5],
    ] as const)
      expect(mergeFound([big, found(x, y, 45, 0.5)], 0.75), `${x}, ${y}`).toHaveLength(2);
    // Eyes, a mouth, a cheek, an ear; and what a window's edge has cut.
    for (const [x, y] of [
      [40, 60],
      [80, 140],
      [140, 100],
      [0, 80],
    ] as const)
      expect(mergeFound([big, found(x, y, 45, 0.5)], 0.75), `${x}, ${y}`).toHaveLength(1);
    expect(mergeFound([big, found(162, 162, 45, 0.5, { clipped: true })], 0.75)).toHaveLength(1);
  });
});

describe('windows', () => {
  it('tiles cover every pixel, lie inside the picture, and keep the shape of the detector', () => {
    for (const [width, height] of [
      [1280, 720],
      [1920, 1080],
      [720, 1280],
      [641, 481],
    ] as const) {
      const tiles = tileGrid({ ...HD, width, height }, 2);
      for (let y = 0; y < height; y += 20) {
        for (let x = 0; x < width; x += 20) {
          expect(tiles.some((t) => x >= t.x && y >= t.y && x < t.x + t.width && y < t.y + t.height)).toBe(true);
        }
      }
      for (const t of tiles) {
        expect(t.x + t.width).toBeLessThanOrEqual(width);
        expect(t.y + t.height).toBeLessThanOrEqual(height);
      }
    }
  });

  it('a face of 64 pixels is whole in some half-native tile wherever it is', () => {
    const tiles = tileGrid(HD, 2);
    for (let y = 0; y <= 720 - 64; y += 8) {
      for (let x = 0; x <= 1280 - 64; x += 8) {
        expect(tiles.some((t) => x >= t.x && y >= t.y && x + 64 <= t.x + t.width && y + 64 <= t.y + t.height)).toBe(
          true,
        );
      }
    }
  });

  it('every tile of a 720p picture has had its turn within the look-ahead of 12 frames', () => {
    const schedule = new WindowSchedule('file');
    const seen = new Set<string>();
    for (let i = 0; i < 12; i++) {
      for (const w of schedule.take(HD, 1)) if (w.quarterTurns === 0 && w.width === 640) seen.add(`${w.x},${w.y}`);
    }
    expect(seen.size).toBe(tileGrid(HD, 2).length);
  });

  it('native tiles have their turn too, on every other frame of a recording', () => {
    const schedule = new WindowSchedule('file');
    const seen = new Set<string>();
    const native = tileGrid(HD, 1).length;
    for (let i = 0; i < 2 * native; i++) {
      const windows = schedule.take(HD, 1).filter((w) => w.width === 320);
      expect(windows.length).toBe(i % 2);
      for (const w of windows) seen.add(`${w.x},${w.y}`);
    }
    expect(seen.size).toBe(native);
  });

  it('a new scene is looked at down to native resolution at once, and a huge picture in no more windows than a frame bears', () => {
    const scan = new WindowSchedule('live').scan(HD);
    const turns = (turn: number) => scan.filter((w) => w.quarterTurns === turn);
    expect(turns(0)).toHaveLength(tileGrid(HD, 2).length + tileGrid(HD, 1).length);
    for (const turn of [1, 2, 3]) expect(turns(turn).length).toBeGreaterThan(0);
    expect(new WindowSchedule('file').scan({ ...HD, width: 7680, height: 4320 }).length).toBeLessThanOrEqual(64);
  });

  it('still pictures are looked at in even steps, turned windows as finely as their number allows', () => {
    for (const [width, height, finest] of [
      [640, 640, 1],
      [1280, 720, 1],
      [1920, 1080, 1.5],
      [1170, 2532, 1.33],
      [300, 200, 1],
    ] as const) {
      const windows = stillWindows({ ...HD, width, height });
      const zooms = (turned: boolean) =>
        windows
          .filter((w) => (w.quarterTurns !== 0) === turned && w.quarterTurns % 2 === 0)
          .map((w) => Math.max(1, Math.max(w.width / 320, w.height / 240)))
          .sort((a, b) => b - a);
      for (const turned of [false, true]) {
        const steps = zooms(turned);
        expect(steps[0]).toBeCloseTo(Math.max(1, width / 320, height / 240), 5);
        for (let i = 1; i < steps.length; i++) expect(steps[i - 1]! / steps[i]!).toBeLessThan(2.3);
        expect(steps.at(-1)!).toBeLessThan((turned ? finest : 1) + 0.01);
      }
    }
  });

  it('half-native tiles of recordings come round within the frames that are held back, whatever the size', () => {
    for (const [width, height] of [
      [1280, 720],
      [1920, 1080],
      [2560, 1440],
      [3840, 2160],
      [1080, 1920],
    ] as const) {
      const format = { ...HD, width, height };
      const schedule = new WindowSchedule('file');
      const seen = new Set<string>();
      for (let frame = 0; frame < 12; frame++)
        for (const { x, y, width: w, quarterTurns } of schedule.take(format, schedule.perFrame(format)))
          if (quarterTurns === 0 && w === 640) seen.add(`${x},${y}`);
      expect(seen.size, `${width}x${height}`).toBe(tileGrid(format, 2).length);
    }
    expect(new WindowSchedule('file').perFrame(HD)).toBe(1);
  });

  it('a window around a face at the edge stays inside the picture and contains the face', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 1180 }),
        fc.integer({ min: 0, max: 620 }),
        fc.integer({ min: 10, max: 100 }),
        (x, y, size) => {
          const window = windowAround(found(x, y, size, 1), HD);
          expect(window.x >= 0 && window.y >= 0).toBe(true);
          expect(window.x + window.width <= 1280 && window.y + window.height <= 720).toBe(true);
          expect(containment(window, found(x, y, size, 1))).toBeCloseTo(1, 1);
        },
      ),
    );
  });

  it('neighbours share a window, faces far apart do not', () => {
    expect(faceWindows([found(300, 300, 60, 1), found(380, 310, 60, 1)], HD)).toHaveLength(1);
    expect(faceWindows([found(0, 300, 40, 1), found(1200, 310, 40, 1)], HD)).toHaveLength(2);
  });
});

describe('cover', () => {
  it('a face on its side gets an axis-aligned cover, a tilted one a turned cover that holds its points', () => {
    expect(coverArea(found(0, 0, 100, 1), Math.PI / 2).roll).toBe(0);
    const turned = mapPoints({ a: 0.9, b: -0.43, c: 100, d: 0.43, e: 0.9, f: 100 }, neutralShape());
    const { region, roll } = coverArea(found(100, 130, 90, 1), rollOf(turned), turned);
    expect(roll).toBeCloseTo(Math.atan2(0.43, 0.9), 3);
    const cx = region.x + region.width / 2;
    const cy = region.y + region.height / 2;
    for (let i = 0; i < 68; i++) {
      const dx = turned[2 * i]! - cx;
      const dy = turned[2 * i + 1]! - cy;
      expect(Math.abs(dx * Math.cos(roll) + dy * Math.sin(roll))).toBeLessThan(region.width / 2);
      expect(Math.abs(dy * Math.cos(roll) - dx * Math.sin(roll))).toBeLessThan(region.height / 2);
    }
  });
});
