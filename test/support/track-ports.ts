import { FaceDetector } from '../../src/infer/detector.ts';
import { IrisModel } from '../../src/infer/iris.ts';
import { LandmarkModel } from '../../src/infer/landmarks.ts';
import { ModelStore } from '../../src/infer/model-store.ts';
import { Recognizer } from '../../src/infer/recognizer.ts';
import type { TrackPorts } from '../../src/track/analyser.ts';
import { loadShapeModel, type ShapeModel } from '../../src/track/shape-model.ts';

/** The shipped models, as the analysis worker has them. */
export async function trackPorts(): Promise<{ ports: TrackPorts & { finder: FaceDetector }; shape: ShapeModel }> {
  const store = ModelStore.open();
  const ports = {
    finder: await FaceDetector.create(store),
    landmarks: await LandmarkModel.create(store),
    pupils: await IrisModel.create(store),
    embedder: await Recognizer.create(store),
  };
  return { ports, shape: loadShapeModel(store.verify('shape-68')) };
}
