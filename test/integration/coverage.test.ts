import { beforeAll, describe, expect, it } from 'vitest';
import type { Region } from '../../src/core/face-track.ts';
import { Mtcnn } from '../../src/evaluate/judges/mtcnn.ts';
import { readPicture } from '../../src/evaluate/y4m.ts';
import { ModelStore } from '../../src/infer/model-store.ts';
import { scratch, understudy } from '../support/command.ts';

const { at } = scratch('coverage');
const store = ModelStore.open();
const judged = ['p', 'r', 'o'].every((net) => store.has(`judge-mtcnn-${net}net`));

/** Largest luma a cover shows, and how much of a face it may leave: hair and the picture's edge. */
const COVER_LUMA = 110;
const LEFT = 0.15;

describe.skipIf(!judged)('every face of the demo photographs (needs the judges)', { timeout: 180_000 }, () => {
  let mtcnn: Mtcnn;
  beforeAll(async () => {
    mtcnn = await Mtcnn.create(store);
  });

  // Photograph 6 has a face half behind hair, which is narrower than faces are: it was left as it was until 2026-11-29.
  for (const number of [1, 2, 3, 4, 5, 6]) {
    it(`photograph ${number}: what an independent detector finds is covered`, async () => {
      const path = store.verify(`demo-photo-${number}`);
      const run = understudy(['run', path, at(`${number}.png`), '--mode', 'mask']);
      expect(run.stderr).toBe('');
      expect(run.code).toBe(0);
      const [original, masked] = [await readPicture(path), await readPicture(at(`${number}.png`))];
      const faces = await mtcnn.all(original);
      expect(faces.length).toBeGreaterThanOrEqual(1);
      for (const face of faces) {
        const changed = shareChanged(face, original.planes, masked.planes, original.format.width);
        expect(changed, `face at ${Math.round(face.x)}, ${Math.round(face.y)}`).toBeGreaterThan(1 - LEFT);
      }
    });
  }
});

/** Of the middle of a box: samples that are as flat and dark as the cover. */
function shareChanged({ x, y, width, height }: Region, before: Uint8Array, after: Uint8Array, stride: number): number {
  let [hidden, all] = [0, 0];
  for (let j = Math.ceil(y + 0.25 * height); j < y + 0.75 * height; j++) {
    for (let i = Math.ceil(x + 0.25 * width); i < x + 0.75 * width; i++) {
      const p = j * stride + i;
      const flat = Math.abs(after[p]! - after[p + 1]!) + Math.abs(after[p]! - after[p + stride]!) <= 2;
      hidden += Number(flat && after[p]! < COVER_LUMA && after[p] !== before[p]);
      all++;
    }
  }
  return hidden / all;
}
