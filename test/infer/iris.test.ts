import { beforeAll, describe, expect, it } from 'vitest';
import type { EyeCrop, Picture } from '../../src/core/vision.ts';
import { FaceDetector } from '../../src/infer/detector.ts';
import { IrisModel } from '../../src/infer/iris.ts';
import { LandmarkModel } from '../../src/infer/landmarks.ts';
import { ModelStore } from '../../src/infer/model-store.ts';
import { LandmarkLocator } from '../../src/track/landmarks.ts';
import { eyeSquare, findPupils, openEyes } from '../../src/track/pupils.ts';
import { loadShapeModel } from '../../src/track/shape-model.ts';
import { wholePicture } from '../../src/track/tiles.ts';
import { photoAsPicture } from '../support/photo.ts';

/** Eyes of faces whose landmarks are trusted, on photographs of people who look about. */
const eyes: { picture: Picture; crop: EyeCrop }[] = [];
const faces: { picture: Picture; points: Float32Array; roll: number }[] = [];
let iris: IrisModel;

beforeAll(async () => {
  const store = ModelStore.open();
  iris = await IrisModel.create(store);
  const detector = await FaceDetector.create(store);
  const locator = new LandmarkLocator(await LandmarkModel.create(store), loadShapeModel(store.verify('shape-68')));
  for (const photo of [3, 5, 6]) {
    const picture = photoAsPicture(store.verify(`demo-photo-${photo}`));
    for (const box of await detector.detect(picture, wholePicture(picture.format), 0.9)) {
      const { points, roll, trusted } = await locator.locate(picture, box, { angle: 0, trustedBefore: false });
      if (!trusted) continue;
      faces.push({ picture, points, roll });
      for (const [i, eye] of (['left', 'right'] as const).entries())
        eyes.push({ picture, crop: { ...eyeSquare(points, 36 + 6 * i, roll), eye } });
    }
  }
});

describe('IrisModel', () => {
  it('stays on the iris when the crop moves', async () => {
    expect(eyes.length).toBeGreaterThanOrEqual(12);
    const moves: number[] = [];
    for (const { picture, crop } of eyes) {
      const [still] = await iris.find(picture, [crop]);
      for (const shift of [-0.08, 0.08]) {
        const [moved] = await iris.find(picture, [{ ...crop, cx: crop.cx + shift * crop.side }]);
        if (still && moved) moves.push(Math.hypot(moved.x - still.x, moved.y - still.y) / crop.side);
      }
    }
    expect(moves.length).toBeGreaterThan(1.5 * eyes.length);
    moves.sort((a, b) => a - b);
    expect(moves[moves.length >> 1]).toBeLessThan(0.03);
  });

  it('lies where the picture is darker than around it', async () => {
    let darker = 0;
    for (const { picture, crop } of eyes) {
      const [rim] = await iris.rims(picture, [crop]);
      if (!rim) continue;
      const luma = (x: number, y: number) => picture.planes[Math.round(y) * picture.format.width + Math.round(x)]!;
      const mean = (around: { x: number; y: number }, radius: number) => {
        let sum = 0;
        for (let k = 0; k < 16; k++)
          sum += luma(around.x + radius * Math.cos((k * Math.PI) / 8), around.y + radius * Math.sin((k * Math.PI) / 8));
        return sum / 16;
      };
      if (mean(rim[0]!, 0.04 * crop.side) < mean(rim[0]!, 0.25 * crop.side)) darker++;
    }
    expect(darker).toBeGreaterThan(0.8 * eyes.length);
  });

  it('gives for both eyes in one run what it gives one by one', async () => {
    for (const { picture, points, roll } of faces.slice(0, 4)) {
      const pair = await findPupils(iris, picture, openEyes(points, roll));
      const asked: (readonly EyeCrop[])[] = [];
      const oneByOne = {
        find: async (p: Picture, crops: readonly EyeCrop[]) => {
          asked.push(crops);
          const found = [];
          for (const crop of crops) found.push((await iris.find(p, [crop]))[0]);
          return found;
        },
      };
      const single = await findPupils(oneByOne, picture, openEyes(points, roll));
      expect(asked.length).toBe(1);
      for (const [i, v] of pair.entries()) expect(v).toBeCloseTo(single[i]!, 2);
    }
  });

  it('says nothing where there is no eye', async () => {
    const picture = { planes: new Uint8Array(new SharedArrayBuffer(240 * 160 * 1.5)).fill(128) };
    const format = { width: 240, height: 160, colour: { matrix: 'bt601', range: 'full' } as const };
    const crop = { cx: 120, cy: 80, side: 60, angle: 0, eye: 'left' as const };
    const flat = await findPupils(iris, { ...picture, format }, openEyes(new Float32Array(136), 0));
    expect([...flat]).toEqual([-1000, -1000, -1000, -1000]);
    expect((await iris.find({ ...picture, format }, [])).length).toBe(0);
    expect((await iris.find({ ...picture, format }, [crop, crop])).length).toBe(2);
  });
});
