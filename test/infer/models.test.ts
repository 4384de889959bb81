import { cpSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { FACE_SLOT_BYTES, faceSlotViews } from '../../src/core/face-slot.ts';
import type { Detection, TrackedFace } from '../../src/core/face-track.ts';
import { cropFromBox } from '../../src/core/landmark-crop.ts';
import type { Picture } from '../../src/core/vision.ts';
import { FaceDetector } from '../../src/infer/detector.ts';
import { Generator } from '../../src/infer/generator.ts';
import { type Cast, Identities } from '../../src/infer/identity.ts';
import { LandmarkModel } from '../../src/infer/landmarks.ts';
import { ModelStore } from '../../src/infer/model-store.ts';
import { canonicalToPicture, invert, mapPoints } from '../../src/track/canonical.ts';
import { demoPhoto } from '../support/demo-photo.ts';

const store = ModelStore.open();
const whole = { x: 0, y: 0, width: 1280, height: 720, quarterTurns: 0 } as const;
let picture: Picture;
let detections: Detection[];
let landmarks: Float32Array;

beforeAll(async () => {
  picture = demoPhoto(1);
  detections = await (await FaceDetector.create(store)).detect(picture, whole, 0.7);
  landmarks = await (await LandmarkModel.create(store)).find(picture, cropFromBox(detections[0]!));
});

describe('models on a photograph', () => {
  it('finds the three people', () => {
    expect(detections.length).toBe(3);
  });

  it('finds the points of a face inside its box, eyes above the mouth', () => {
    const box = detections[0]!;
    for (let i = 17; i < 68; i++) {
      expect(landmarks[2 * i]).toBeGreaterThan(box.x - 0.1 * box.width);
      expect(landmarks[2 * i]).toBeLessThan(box.x + 1.1 * box.width);
    }
    expect(landmarks[2 * 36 + 1]).toBeLessThan(landmarks[2 * 48 + 1]!);
    expect(landmarks[2 * 36]).toBeLessThan(landmarks[2 * 45]!);
  });

  it('generates a face from nothing of the face: noise in its place changes only the colour guide', async () => {
    const generator = await Generator.create(store.verify('generator-128'));
    const memory = new SharedArrayBuffer(FACE_SLOT_BYTES);
    const slot = faceSlotViews(memory, 0, generator.faceSize);
    const toPicture = canonicalToPicture(landmarks)!;
    const own = new Float32Array(140).fill(-1000);
    own.set(mapPoints(invert(toPicture), landmarks));
    const face: TrackedFace = {
      trackId: 1,
      personId: 1,
      cover: 'generated',
      region: detections[0]!,
      roll: 0,
      score: 1,
      toPicture,
      own,
      driven: own,
      raw: own,
    };
    const z = new Identities().zFor(new Uint8Array(32), 1);
    expect(await generator.run([{ picture, face, z, slot }])).toEqual(['generated']);
    const first = slot.face.slice();
    const { mask } = slot;
    const covered = mask.reduce((n, m) => n + (m ? 1 : 0), 0);
    expect(covered).toBeGreaterThan(2500);
    // The same mean colour, none of the same pixels: mirror the luma inside the mask about a cell's centre.
    const swapped = { ...picture, planes: picture.planes.slice() };
    const inverse = invert(toPicture);
    for (let y = 0; y < 720; y++) {
      for (let x = 0; x < 1280; x++) {
        const u = Math.round(inverse.a * x + inverse.b * y + inverse.c);
        const v = Math.round(inverse.d * x + inverse.e * y + inverse.f);
        if (u < 2 || v < 2 || u > 125 || v > 125 || !mask[v * 128 + u]) continue;
        const rim = [-2, 2].some((d) => !mask[v * 128 + u + d] || !mask[(v + d) * 128 + u]);
        if (!rim) swapped.planes[y * 1280 + x] = picture.planes[y * 1280 + x]! + (((x + y) & 1) * 2 - 1) * 6;
      }
    }
    expect(await generator.run([{ picture: swapped, face, z, slot }])).toEqual(['generated']);
    let difference = 0;
    for (let i = 0; i < first.length; i++) difference += Math.abs(first[i]! - slot.face[i]!);
    expect(difference / first.length).toBeLessThan(2);
  });

  it('gives a large face detail that the smaller one lacks, and changes nothing coarser', async () => {
    const detail = store.verify('generator-detail');
    const generator = await Generator.create(store.verify('generator-128-int8'), {}, detail);
    const toPicture = canonicalToPicture(landmarks)!;
    const own = new Float32Array(140).fill(-1000);
    own.set(mapPoints(invert(toPicture), landmarks));
    const points = { toPicture, own, driven: own, raw: own };
    const face = { trackId: 1, personId: 1, cover: 'generated', region: detections[0]!, roll: 0, score: 1 } as const;
    const z = new Identities().zFor(new Uint8Array(32), 1);
    const memory = new SharedArrayBuffer(2 * FACE_SLOT_BYTES);
    const [small, large] = [faceSlotViews(memory, 0, 128), faceSlotViews(memory, 1, 256)];
    const items = [
      { picture, face: { ...face, ...points }, z, slot: small },
      { picture, face: { ...face, ...points, faceSize: 256 }, z, slot: large },
    ];
    expect(await generator.run(items)).toEqual(['generated', 'generated']);
    let [coarse, fine, n] = [0, 0, 0];
    for (let y = 40; y < 100; y++) {
      for (let x = 30; x < 98; x++) {
        if (!small.mask[y * 128 + x]) continue;
        const four = [0, 1, 256, 257].map((k) => large.face[4 * (2 * y * 256 + 2 * x + k)]!);
        const mean = four.reduce((a, b) => a + b) / 4;
        coarse += Math.abs(mean - small.face[4 * (y * 128 + x)]!);
        fine += Math.max(...four) - Math.min(...four);
        n++;
      }
    }
    // A slot of another size is not filled by half.
    const wrong = faceSlotViews(memory, 1, 256);
    wrong.face.fill(7);
    expect(await generator.run([{ ...items[0]!, slot: wrong }])).toEqual(['rejected']);
    expect(wrong.face.every((v) => v === 7)).toBe(true);
    expect(n).toBeGreaterThan(2000);
    expect(coarse / n).toBeLessThan(6);
    expect(fine / n).toBeGreaterThan(4);
  });

  it('gives one person one understudy and another session another', () => {
    const key = new Uint8Array(32).fill(1);
    const all = new Identities();
    expect(all.zFor(key, 5)).toEqual(all.zFor(key, 5));
    expect(all.zFor(key, 5)).not.toEqual(all.zFor(key, 6));
    expect(all.zFor(key, 5)).not.toEqual(all.zFor(key, 5, 1));
    expect(all.zFor(key, 5)).not.toEqual(all.zFor(new Uint8Array(32).fill(2), 5));
    const many = Array.from({ length: 400 }, (_, i) => all.zFor(key, i)).flatMap((z) => [...z]);
    const mean = many.reduce((a, b) => a + b) / many.length;
    const variance = many.reduce((a, b) => a + (b - mean) ** 2, 0) / many.length;
    expect(Math.abs(mean)).toBeLessThan(0.03);
    expect(variance).toBeCloseTo(1, 1);
    expect(new Identities(undefined, 0.5).zFor(key, 5)).toEqual(all.zFor(key, 5).map((v) => v / 2));
  });

  it('serves those who were chosen for the generator, in an order that the key decides, and nobody twice before the others', () => {
    const { people } = JSON.parse(readFileSync(store.verify('generator-identities'), 'utf8')) as Cast;
    expect(people.length).toBeGreaterThan(200);
    const chosen = new Map(people.map((z, i) => [Float32Array.from(z).join(), i]));
    const served = Identities.load(store, 1);
    const firsts = (fill: number) =>
      Array.from({ length: 18 }, (_, person) =>
        [0, 1, 11].map((draw) => chosen.get(served.zFor(new Uint8Array(32).fill(fill), person + 1, draw).join())),
      ).flat();
    const [one, other] = [firsts(1), firsts(2)];
    expect(one).not.toContain(undefined);
    expect(new Set(one).size).toBe(54);
    expect(one).not.toEqual(other);
    expect(firsts(1)).toEqual(one);
    // The numbers of later streams are large.
    expect(served.zFor(new Uint8Array(32), 3_000_010_001, 11)).toHaveLength(64);
    expect(() => new Identities({ people: [[1]] })).toThrow(/12 and more/);
    expect(() => new Identities({ people: people.map(() => new Array(64).fill(Number.NaN)) })).toThrow(/64 numbers/);
  });
});

describe('ModelStore', () => {
  it('names the model whose file is missing or was changed', () => {
    const dir = mkdtempSync(join(tmpdir(), 'understudy-models-'));
    cpSync(join(store.dir, 'manifest.json'), join(dir, 'manifest.json'));
    const copy = ModelStore.open({ dir, cacheDir: dir });
    expect(() => copy.verify('generator-128')).toThrow(/generator-128 .* is missing/);
    cpSync(join(store.dir, 'shape'), join(dir, 'shape'), { recursive: true });
    expect(copy.verify('shape-68')).toContain('shape-68.json');
    writeFileSync(join(dir, 'shape/shape-68.json'), `${readFileSync(join(dir, 'shape/shape-68.json'), 'utf8')} `);
    expect(() => copy.verify('shape-68')).toThrow(/SHA-256/);
    expect(() => ModelStore.open({ dir: join(dir, 'none') })).toThrow(/cannot be read/);
  });
});
