import { expect, it } from 'vitest';
import type { Region } from '../../src/core/face-track.ts';
import { FaceDetector } from '../../src/infer/detector.ts';
import { LandmarkModel } from '../../src/infer/landmarks.ts';
import { ModelStore } from '../../src/infer/model-store.ts';
import { disagreement, LandmarkLocator } from '../../src/track/landmarks.ts';
import { carryPoints } from '../../src/track/lifecycle.ts';
import { loadShapeModel } from '../../src/track/shape-model.ts';
import { wholePicture } from '../../src/track/tiles.ts';
import { photoAsPicture } from '../support/photo.ts';

const around = ({ x, y, width, height }: Region, scale: number, shift: number): Region => ({
  x: x + width * ((1 - scale) / 2 + shift),
  y: y + height * ((1 - scale) / 2 - shift),
  width: width * scale,
  height: height * scale,
});

it('finds a face where it was when its box is off for one frame', { timeout: 60_000 }, async () => {
  const store = ModelStore.open();
  const detector = await FaceDetector.create(store);
  const locator = new LandmarkLocator(await LandmarkModel.create(store), loadShapeModel(store.verify('shape-68')));
  const [without, withLast]: [number[], number[]] = [[], []];
  for (const photo of [3, 5, 6]) {
    const picture = photoAsPicture(store.verify(`demo-photo-${photo}`));
    for (const box of await detector.detect(picture, wholePicture(picture.format), 0.9)) {
      const { points: last, trusted } = await locator.locate(picture, box, { angle: 0, trustedBefore: false });
      if (!trusted) continue;
      for (const [scale, shift] of [
        [0.7, 0],
        [0.75, 0.08],
        [1.35, 0],
        [1.3, -0.08],
      ] as const) {
        const off = around(box, scale, shift);
        const hints = { angle: 0, trustedBefore: true, expected: carryPoints(last, box, off) };
        without.push(disagreement((await locator.locate(picture, off, hints)).points, last));
        withLast.push(disagreement((await locator.locate(picture, off, { ...hints, last })).points, last));
      }
    }
  }
  const mean = (values: number[]) => values.reduce((sum, v) => sum + v, 0) / values.length;
  expect(withLast.length).toBeGreaterThan(20);
  expect(mean(withLast)).toBeLessThan(0.6 * mean(without));
});
