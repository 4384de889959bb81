import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { faceOutline, rasteriseMask } from '../../src/core/face-mask.ts';
import { FACE_SLOT_BYTES, faceSlotViews } from '../../src/core/face-slot.ts';
import type { TrackedFace } from '../../src/core/face-track.ts';
import { FramePool } from '../../src/core/frame-pool.ts';
import { planeLayout, RawFrame, SealedFrame } from '../../src/core/video-frame.ts';
import { Compositor } from '../../src/gpu-post/compositor.ts';

const format = { width: 320, height: 240, colour: { matrix: 'bt601', range: 'limited' } } as const;
const { byteLength } = planeLayout(320, 240);
const faceMemory = new SharedArrayBuffer(2 * FACE_SLOT_BYTES);
let compositor: Compositor;

/** A picture whose every sample is odd: whatever is left of it is told by that. */
function rawFrame(timestampUs = 0): RawFrame {
  const slot = new FramePool(byteLength, 1).tryAcquire()!;
  const planes = new Uint8Array(slot.memory);
  for (let i = 0; i < planes.length; i++) planes[i] = 31 + 2 * ((i * 7919) % 90);
  return new RawFrame({ sequence: 0, timestampUs, format }, slot);
}

const points = () => {
  const p = new Float32Array(140);
  const at = (i: number, x: number, y: number) => p.set([x, y], 2 * i);
  for (let i = 0; i < 17; i++) at(i, 64 - 40 * Math.cos((Math.PI * i) / 16), 60 + 50 * Math.sin((Math.PI * i) / 16));
  for (let i = 17; i < 27; i++) at(i, 30 + (i - 17) * 7.5, 42);
  for (let i = 27; i < 36; i++) at(i, 64, 50 + (i - 27) * 3);
  for (let i = 36; i < 42; i++) at(i, 46 + 4 * Math.cos(i), 54 + 2 * Math.sin(i));
  for (let i = 42; i < 48; i++) at(i, 82 + 4 * Math.cos(i), 54 + 2 * Math.sin(i));
  for (let i = 48; i < 70; i++) at(i, 64 + 12 * Math.cos(i), 90 + 5 * Math.sin(i));
  return p;
};

const face = (extra: Partial<TrackedFace>): TrackedFace => ({
  trackId: 1,
  personId: 1,
  cover: 'generated',
  region: { x: 96, y: 56, width: 128, height: 128 },
  roll: 0,
  score: 0.9,
  toPicture: { a: 1, b: 0, c: 96, d: 0, e: 1, f: 56 },
  own: points(),
  driven: points(),
  raw: points(),
  faceSlot: 0,
  ...extra,
});

beforeAll(async () => {
  const { crop, mask, face: generated } = faceSlotViews(faceMemory, 0, 128);
  crop.fill(180);
  rasteriseMask([faceOutline(points())], mask);
  for (let i = 0; i < generated.length; i++) generated[i] = 100 + ((i >> 2) % 128) / 4;
  compositor = await Compositor.start({
    faceMemory,
    faceSize: 128,
    mode: 'generate',
    photometry: { relight: true, pyramid: true, colour: true, sigmaInterocular: 0.24 },
  });
});
afterAll(() => compositor.close());

const slotOf = () => new FramePool(byteLength, 1).tryAcquire()!;

describe('Compositor', () => {
  it('replaces the face and leaves every other sample bit-exact', async () => {
    const raw = rawFrame();
    const before = new Uint8Array(raw.slot.memory).slice();
    const { frame, covers } = await compositor.compose(raw, [face({})], slotOf());
    expect(frame.kind).toBe('composed');
    expect(covers).toEqual([{ trackId: 1, cover: 'generated' }]);
    const after = frame.pixels;
    const [hull, around] = [new Uint8Array(128 * 128), new Uint8Array(128 * 128)];
    rasteriseMask([faceOutline(points())], hull, 0);
    rasteriseMask([faceOutline(points())], around, 5.5);
    let changedOutside = 0;
    let same = 0;
    let inside = 0;
    for (let y = 0; y < 240; y++) {
      for (let x = 0; x < 320; x++) {
        const [u, v] = [x - 96, y - 56];
        const inCrop = u >= 0 && u < 128 && v >= 0 && v < 128;
        const i = y * 320 + x;
        if (!(inCrop && around[v * 128 + u]) && after[i] !== before[i]) changedOutside++;
        if (inCrop && hull[v * 128 + u]) {
          inside++;
          if (after[i] === before[i]) same++;
        }
      }
    }
    expect(changedOutside).toBe(0);
    expect(same / inside).toBeLessThan(0.1);
    // The drawn face is smooth, but for its grain, and the original is noise: no trace of it inside.
    const row = (120 * 320 + 130) | 0;
    for (let x = 0; x < 50; x++) expect(Math.abs(after[row + x + 1]! - after[row + x]!)).toBeLessThan(14);
    expect(new Uint8Array(raw.slot.memory)).toEqual(before);
  });

  it.each([64, 192, 240])('replaces a face of %d pixels, which another model may draw', async (size) => {
    const small = faceSlotViews(faceMemory, 0, 128);
    const slot = faceSlotViews(faceMemory, 1, size);
    slot.crop.set(small.crop);
    slot.mask.set(small.mask);
    for (let i = 0; i < slot.face.length; i++) slot.face[i] = 100 + ((i >> 2) % size) / 4;
    const raw = rawFrame();
    const before = new Uint8Array(raw.slot.memory).slice();
    const { frame, covers } = await compositor.compose(
      raw,
      [face({ trackId: 40 + size, faceSize: size, faceSlot: 1 })],
      slotOf(),
    );
    expect(covers[0]!.cover).toBe('generated');
    const hull = new Uint8Array(128 * 128);
    rasteriseMask([faceOutline(points())], hull, 0);
    let [same, inside] = [0, 0];
    for (let i = 0; i < 128 * 128; i++) {
      if (!hull[i]) continue;
      const at = (56 + Math.floor(i / 128)) * 320 + 96 + (i % 128);
      inside++;
      if (frame.pixels[at] === before[at]) same++;
    }
    expect(same / inside).toBeLessThan(0.1);
  });

  it('draws faces of two sizes in one picture, and one that comes nearer from the frame on', async () => {
    const small = faceSlotViews(faceMemory, 0, 128);
    const large = faceSlotViews(faceMemory, 1, 256);
    large.crop.set(small.crop);
    large.mask.set(small.mask);
    // Stripes that a face of 128 pixels cannot have.
    for (let i = 0; i < 256 * 256; i++) large.face.fill(i & 1 ? 130 : 90, 4 * i, 4 * i + 4);
    const left = face({ trackId: 20, toPicture: { a: 1, b: 0, c: 0, d: 0, e: 1, f: 56 } });
    const right = (extra: Partial<TrackedFace>) =>
      face({ trackId: 21, toPicture: { a: 1.8, b: 0, c: 100, d: 0, e: 1.8, f: 10 }, ...extra });
    const spread = (frame: { pixels: Uint8Array }) => {
      const row = frame.pixels.subarray(120 * 320 + 200, 120 * 320 + 230);
      return row.reduce((sum, v, i) => sum + Math.abs(v - row[Math.max(0, i - 1)]!), 0) / row.length;
    };
    const first = await compositor.compose(rawFrame(), [left, right({})], slotOf());
    expect(first.covers.map((c) => c.cover)).toEqual(['generated', 'generated']);
    const finer = right({ faceSize: 256, faceSlot: 1 });
    const second = await compositor.compose(rawFrame(), [left, finer], slotOf());
    expect(second.covers.map((c) => c.cover)).toEqual(['generated', 'generated']);
    expect(spread(second.frame)).toBeGreaterThan(2 * spread(first.frame));
    const { faceSlot: _1, faceSize: _2, ...held } = { ...finer, cover: 'held' } as const;
    const third = await compositor.compose(rawFrame(), [held], slotOf());
    expect(third.covers[0]!.cover).toBe('held');
    expect(spread(third.frame)).toBeCloseTo(spread(second.frame), -1);
  });

  it('draws the last good face when held, and a solid cover when there is none', async () => {
    const { faceSlot: _, ...held } = face({ cover: 'held' });
    const first = await compositor.compose(rawFrame(), [held], slotOf());
    expect(first.covers[0]!.cover).toBe('held');
    const second = await compositor.compose(rawFrame(), [{ ...held, trackId: 99 }], slotOf());
    expect(second.covers[0]!.cover).toBe('solid');
    for (let y = 60; y < 180; y++) expect(second.frame.pixels[y * 320 + 150]).toBe(second.frame.pixels[60 * 320 + 150]);
  });

  it('holds a face for three seconds of the stream and no longer, however long the generator is away', async () => {
    const key = { trackId: 30 };
    const { faceSlot: _, ...held } = face({ ...key, cover: 'held' });
    const at = async (seconds: number, one: TrackedFace = held) =>
      (await compositor.compose(rawFrame(1e6 * seconds), [one], slotOf())).covers[0]!.cover;
    expect([await at(10, face(key)), await at(11), await at(12.9)]).toEqual(['generated', 'held', 'held']);
    // Held for a second, generated once more: the time begins again.
    expect([await at(13, face(key)), await at(15.9), await at(16.1)]).toEqual(['generated', 'held', 'solid']);
    // From solid nothing old comes back, whatever the clock says.
    expect([await at(15), await at(17, face(key))]).toEqual(['solid', 'generated']);
  });

  it('covers faces that lie over the edge, wholly outside or without extent', async () => {
    const moved = (c: number, f: number) => face({ toPicture: { a: 1, b: 0, c, d: 0, e: 1, f } });
    for (const one of [moved(-60, -60), moved(290, 200), moved(-900, 20)]) {
      expect((await compositor.compose(rawFrame(), [one], slotOf())).frame.kind).toBe('composed');
    }
    const nothing = face({ cover: 'solid', region: { x: -50, y: -50, width: 20, height: 20 } });
    expect((await compositor.compose(rawFrame(), [nothing], slotOf())).frame.kind).toBe('composed');
  });

  it('veils the whole frame when the drawing fails, and draws again after the restart', async () => {
    const broken = face({ faceSlot: 10_000 });
    const { frame } = await compositor.compose(rawFrame(), [broken], slotOf());
    expect(frame.kind).toBe('veiled');
    expect(new Set(frame.pixels)).toEqual(new Set([96, 128]));
    expect((await compositor.compose(rawFrame(), [face({})], slotOf())).frame.kind).toBe('composed');
  });

  it('takes a face that covers nothing for a failure, and has nothing to hold afterwards', async () => {
    const { crop, mask } = faceSlotViews(faceMemory, 1, 128);
    crop.fill(180);
    // Four pixels square: the softened mask is nowhere opaque, as after a read that failed.
    for (let i = 0; i < mask.length; i++)
      mask[i] = i % 128 >= 62 && i % 128 < 66 && i >> 7 >= 62 && i >> 7 < 66 ? 255 : 0;
    const key = { trackId: 7 };
    expect((await compositor.compose(rawFrame(), [face(key)], slotOf())).covers[0]!.cover).toBe('generated');
    const { frame } = await compositor.compose(rawFrame(), [face({ ...key, faceSlot: 1 })], slotOf());
    expect(frame.kind).toBe('veiled');
    const { faceSlot: _, ...held } = face({ ...key, cover: 'held' });
    expect((await compositor.compose(rawFrame(), [held], slotOf())).covers[0]!.cover).toBe('solid');
  });

  it('veils the whole frame when nobody knows where a face is', async () => {
    const at = (region: Partial<TrackedFace['region']>, extra: Partial<TrackedFace> = {}) =>
      face({ region: { x: 96, y: 56, width: 128, height: 128, ...region }, ...extra });
    const { faceSlot: _, ...held } = face({ cover: 'held' });
    const nowhere = [
      at({ x: Number.NaN }, { cover: 'solid' }),
      at({ height: 0 }, { cover: 'solid' }),
      at({ width: Number.POSITIVE_INFINITY }, { cover: 'solid' }),
      { ...held, toPicture: { a: 1, b: 0, c: Number.NaN, d: 0, e: 1, f: 56 } },
    ];
    for (const one of nowhere) {
      const { frame } = await compositor.compose(rawFrame(), [face({}), one], slotOf());
      expect(new Set(frame.pixels)).toEqual(new Set([96, 128]));
    }
  });

  it('makes frames that look-alikes are told from, and that cannot be read after they are closed', () => {
    const frame = compositor.veil({ sequence: 0, timestampUs: 0, format }, slotOf());
    expect(SealedFrame.isSealed(frame)).toBe(true);
    expect(SealedFrame.isSealed({ ...frame, pixels: new Uint8Array() })).toBe(false);
    expect(SealedFrame.isSealed(rawFrame())).toBe(false);
    frame.close();
    expect(() => frame.pixels).toThrow(/closed/);
  });

  it('has the only door', () => {
    expect(() => SealedFrame.takeDoor()).toThrow(/taken/);
  });
});
