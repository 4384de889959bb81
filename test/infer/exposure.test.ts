import { beforeAll, describe, expect, it } from 'vitest';
import { FACE_SLOT_BYTES, faceSlotViews } from '../../src/core/face-slot.ts';
import type { TrackedFace } from '../../src/core/face-track.ts';
import { cropFromBox } from '../../src/core/landmark-crop.ts';
import type { Picture } from '../../src/core/vision.ts';
import { FaceDetector } from '../../src/infer/detector.ts';
import { expose, exposureOf, unexpose } from '../../src/infer/exposure.ts';
import { Generator } from '../../src/infer/generator.ts';
import { Identities } from '../../src/infer/identity.ts';
import { LandmarkModel } from '../../src/infer/landmarks.ts';
import { ModelStore } from '../../src/infer/model-store.ts';
import { canonicalToPicture, invert, mapPoints } from '../../src/track/canonical.ts';
import { demoPhoto } from '../support/demo-photo.ts';

const SIZE = 128;
/** A crop whose tones lie evenly in [low, high] of [0, 1]. */
const tones = (low: number, high: number) =>
  Float32Array.from(
    { length: 3 * SIZE * SIZE },
    (_, i) => 2 * (low + ((i % (SIZE * SIZE)) / (SIZE * SIZE)) * (high - low)) - 1,
  );

describe('the exposure of a crop', () => {
  it('is left as it is where tones are spread', () => {
    for (const [low, high] of [
      [0, 1],
      [0.1, 0.6],
      [0.5, 1],
    ] as const)
      expect(exposureOf(tones(low, high))).toEqual({ gain: 1, offset: 0 });
  });

  it.each([
    ['in the dark', 0, 0.12],
    ['behind haze', 0.6, 0.75],
  ])('%s is spread, and what is drawn in it is brought back', (_, low, high) => {
    const crop = tones(low, high);
    const exposure = exposureOf(crop);
    const spread = Float32Array.from(crop);
    expose(spread, exposure);
    const sorted = Float32Array.from(spread).sort();
    expect((sorted[Math.floor(0.02 * sorted.length)]! + 1) / 2).toBeCloseTo(0.08, 1);
    expect((sorted[Math.floor(0.98 * sorted.length)]! + 1) / 2).toBeCloseTo(0.8, 1);
    unexpose(spread, exposure);
    for (let i = 0; i < crop.length; i += 97) expect(spread[i]).toBeCloseTo(crop[i]!, 4);
  });

  it('does not jump between what is spread and what is not', () => {
    let before = exposureOf(tones(0.2, 0.7)).gain;
    for (let high = 0.7; high > 0.25; high -= 0.002) {
      const { gain } = exposureOf(tones(0.2, high));
      expect(gain / before).toBeLessThan(1.06);
      before = gain;
    }
  });
});

describe('a generated face', () => {
  const store = ModelStore.open();
  const photo = demoPhoto(1);
  let face: TrackedFace;
  let generator: Generator;
  beforeAll(async () => {
    const whole = { x: 0, y: 0, width: 1280, height: 720, quarterTurns: 0 } as const;
    const [box] = await (await FaceDetector.create(store)).detect(photo, whole, 0.7);
    const landmarks = await (await LandmarkModel.create(store)).find(photo, cropFromBox(box!));
    const toPicture = canonicalToPicture(landmarks)!;
    const own = new Float32Array(140).fill(-1000);
    own.set(mapPoints(invert(toPicture), landmarks));
    const place = { trackId: 1, personId: 1, region: box!, roll: 0, score: 1, toPicture, own, driven: own };
    face = { ...place, cover: 'generated', faceSlot: 0 };
    generator = await Generator.create(store.verify('generator-128'));
  });

  /** The picture with `gain` of its contrast, and `black` for black. */
  const toned = (gain: number, black: number): Picture => {
    const pixels = photo.format.width * photo.format.height;
    const planes = photo.planes.map((v, i) => (i < pixels ? 16 + black + gain * (v - 16) : 128 + gain * (v - 128)));
    return { planes, format: photo.format };
  };
  const drawn = async (picture: Picture) => {
    const slot = faceSlotViews(new SharedArrayBuffer(FACE_SLOT_BYTES), 0, generator.faceSize);
    const z = new Identities().zFor(new Uint8Array(32), 1);
    expect(await generator.run([{ picture, face, z, slot }])).toEqual(['generated']);
    return Float64Array.from({ length: SIZE * SIZE }, (_, i) => (slot.mask[i] ? slot.face[4 * i + 1]! : 0));
  };
  const correlation = (a: Float64Array, b: Float64Array) => {
    let [n, sa, sb, saa, sbb, sab] = [0, 0, 0, 0, 0, 0];
    for (let i = 0; i < a.length; i++) {
      if (a[i] === 0) continue;
      n++;
      sa += a[i]!;
      sb += b[i]!;
      saa += a[i]! ** 2;
      sbb += b[i]! ** 2;
      sab += a[i]! * b[i]!;
    }
    return (sab - (sa * sb) / n) / Math.sqrt((saa - sa ** 2 / n) * (sbb - sb ** 2 / n));
  };

  it.each([
    ['in the dark', 0.15, 0],
    ['behind haze', 0.2, 130],
  ])('%s is that of good light, in the tones of the picture', async (_, gain, black) => {
    const [light, other] = [await drawn(toned(1, 0)), await drawn(toned(gain, black))];
    expect(correlation(light, other)).toBeGreaterThan(0.9);
    expect(Math.max(...other)).toBeLessThan(black + gain * 255 + 40);
  });
});
