import { CROP_SIZE } from '../../src/core/face-track.ts';
import { keyedNormals } from '../../src/core/keyed-random.ts';
import { ModelStore } from '../../src/infer/model-store.ts';
import { loadShapeModel } from '../../src/track/shape-model.ts';

/** Plausible faces in the canonical field, 140 numbers each, pupils in the middle. @param seed which ones */
export function shapes(count: number, seed: number): Float32Array[] {
  const model = loadShapeModel(ModelStore.open().verify('shape-68'));
  return Array.from({ length: count }, (_, i) => {
    const points = new Float32Array(140).fill(CROP_SIZE / 2);
    points.set(model.shape(keyedNormals(new Uint8Array([seed]), `shape ${i}`, model.sigma.length)));
    return points;
  });
}
