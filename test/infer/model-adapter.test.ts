import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { OnnxGraph } from '../../scripts/convert/onnx-graph.mjs';
import { FACE_SLOT_BYTES, faceSlotViews } from '../../src/core/face-slot.ts';
import { Generator } from '../../src/infer/generator.ts';
import { adaptedInputs, readAdapter } from '../../src/infer/model-adapter.ts';
import { demoPhoto } from '../support/demo-photo.ts';

const AREA = 128 * 128;

/** Somebody else's model: mean of the context's colours turned round, in [0, 1], plus half the mask. */
function foreignModel(description: object): string {
  const path = join(mkdtempSync(join(tmpdir(), 'understudy-foreign-')), 'model.onnx');
  const graph = new OnnxGraph();
  const picture = graph.input('picture', [1, 3, 128, 128]);
  const region = graph.input('region', [1, 1, 128, 128]);
  const points = graph.input('points', [1, 4]);
  const shift = graph.node('ReduceMean', [points], { keepdims: 0 });
  const half = graph.node('Mul', [region, graph.constant(Float32Array.of(0.5), [1])]);
  const sum = graph.node('Add', [
    graph.node('Mul', [graph.node('Add', [picture, half]), graph.constant(Float32Array.of(0.5), [1])]),
    shift,
  ]);
  graph.output(sum, 'result', [1, 3, 128, 128]);
  writeFileSync(path, graph.bytes());
  writeFileSync(path.replace('.onnx', '.json'), JSON.stringify(description));
  return path;
}

const DESCRIPTION = {
  inputs: {
    picture: { from: 'context', scale: 0.5, offset: 0.5, blank: 0.25 },
    region: { from: 'mask', inside: 1, outside: 0 },
    points: { from: 'landmarks', points: [36, 45], scale: 0, flat: true },
  },
  output: { name: 'result', scale: 2, offset: -1 },
};

describe("the description of somebody else's model", () => {
  it('says how the prepared inputs become its own', () => {
    const adapter = readAdapter(foreignModel(DESCRIPTION))!;
    const prepared = {
      context: new Float32Array(3 * AREA).fill(0.5),
      mask: Float32Array.from({ length: AREA }, (_, p) => (p < 10 ? 1 : 0)),
      landmarks: Float32Array.from({ length: 140 }, (_, i) => i),
      z: Float32Array.of(1, 2, 3),
    };
    const inputs = adaptedInputs(
      { ...adapter, inputs: { ...adapter.inputs, noise: { from: 'z', shape: [5] } } },
      prepared,
      1,
    );
    const byName = Object.fromEntries(inputs.map((i) => [i.name, i]));
    expect(byName.picture!.data[0]).toBe(0.25);
    expect(byName.picture!.data[10]).toBe(0.75);
    expect(byName.points!.dims).toEqual([1, 4]);
    expect([...byName.noise!.data]).toEqual([1, 2, 3, 1, 2]);
  });

  it('lets it stand in for our generator, and still refuses a picture that is none', async () => {
    const generator = await Generator.create(foreignModel(DESCRIPTION));
    expect(generator.faceSize).toBe(128);
    const points = Float32Array.from({ length: 140 }, (_, i) => 64 + 30 * Math.cos(i));
    const toPicture = { a: 1, b: 0, c: 500, d: 0, e: 1, f: 300 };
    const face = {
      ...{ trackId: 1, personId: 1, cover: 'generated' as const, region: { x: 0, y: 0, width: 1, height: 1 } },
      ...{ roll: 0, score: 1, toPicture, driven: points, own: points },
    };
    const slot = faceSlotViews(new SharedArrayBuffer(FACE_SLOT_BYTES), 0, 128);
    const item = { picture: demoPhoto(1), face, z: new Float32Array(64), slot };
    expect(await generator.run([item])).toEqual(['generated']);
    const inside = slot.mask.findIndex((m) => m !== 0);
    // (0.25 + 0.5) · 0.5 · 2 − 1 = −0.25
    expect(slot.face[4 * inside]).toBe(Math.round(0.75 * 127.5));

    const flat = foreignModel({ ...DESCRIPTION, output: { name: 'result', scale: 0 } });
    expect(await (await Generator.create(flat)).run([item])).toEqual(['rejected']);
  });

  it('is refused with the place and the remedy when it is wrong', () => {
    const path = foreignModel({ inputs: { picture: { from: 'photograph' } }, output: { name: 'result' } });
    expect(() => readAdapter(path)).toThrow(/model\.json of a model is not valid/);
  });
});
