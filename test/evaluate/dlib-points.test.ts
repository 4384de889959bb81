import { describe, expect, it } from 'vitest';
import { readShapePredictor } from '../../src/evaluate/judges/dlib-file.ts';
import { DlibPoints } from '../../src/evaluate/judges/dlib-points.ts';
import { poseError } from '../../src/evaluate/metrics/landmark-error.ts';
import { FaceObserver } from '../../src/evaluate/observer.ts';
import { ModelStore } from '../../src/infer/model-store.ts';
import { demoPhoto } from '../support/demo-photo.ts';

const judge = DlibPoints.open();

describe("dlib's 68 points", () => {
  it.skipIf(!judge)('agree with the runtime on faces (needs the package libdlib-data)', async () => {
    const observer = await FaceObserver.create(ModelStore.open(), { recognizers: [], absent: [] });
    const picture = demoPhoto(1);
    const faces = (await observer.faces(picture)).filter((f) => f.box.height > 80 && f.box.score > 0.9);
    expect(faces.length).toBeGreaterThan(1);
    for (const face of faces) expect(poseError(face.points, judge!.find(picture, face.box))).toBeLessThan(0.06);
  });

  it('are not read from just any file', () => {
    expect(() => readShapePredictor(Uint8Array.of(1, 2, 3, 4))).toThrow(/dlib/);
    expect(() => readShapePredictor(Uint8Array.of(0x81, 1, 0, 0))).toThrow(/dlib/);
  });
});
