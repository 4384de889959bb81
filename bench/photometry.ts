/**
 * Judges a photometry by re-identification first: composes captured faces with each variant and compares them with
 * their originals. `npx tsx bench/photometry.ts FOLDER_OF_PORTRAITS [--key HEX] [--variants a,b] [--pictures OUT]`
 */
import { mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { FACE_SLOT_BYTES } from '../src/core/face-slot.ts';
import { CROP_SIZE, type TrackedFace } from '../src/core/face-track.ts';
import { planeLayout, RawFrame } from '../src/core/video-frame.ts';
import type { Picture } from '../src/core/vision.ts';
import { siMse } from '../src/evaluate/metrics/si-mse.ts';
import { Compositor } from '../src/gpu-post/compositor.ts';
import { ModelStore } from '../src/infer/model-store.ts';
import { Recognizer } from '../src/infer/recognizer.ts';
import { PictureSampler } from '../src/infer/sample.ts';
import { savePng } from '../test/support/photo.ts';
import { type CapturedPicture, captureFaces } from './captured-face.ts';

const ON = { relight: true, pyramid: true, colour: true, sigmaInterocular: 0.24 };
const VARIANTS: Record<string, typeof ON> = {
  none: { ...ON, relight: false, pyramid: false, colour: false },
  colour: { ...ON, relight: false, pyramid: false },
  relight: { ...ON, pyramid: false },
  all: ON,
};
/** Cosine above which fr_feature calls two pictures one person. */
const SAME_PERSON = 0.3;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    key: { type: 'string', default: '11'.repeat(32) },
    variants: { type: 'string', default: Object.keys(VARIANTS).join(',') },
    pictures: { type: 'string', default: '' },
    size: { type: 'string', default: '640x640' },
    match: { type: 'string', default: '_neutral.jpg' },
    limit: { type: 'string', default: '1000' },
    cache: { type: 'string', default: '/tmp/understudy-captured' },
  },
});
const folder = positionals[0] ?? '../shared/data/london';
const files = readdirSync(folder)
  .filter((name) => name.endsWith(values.match))
  .slice(0, Number(values.limit))
  .map((name) => join(folder, name));
const size = values.size.split('x').map(Number) as [number, number];
const cacheFile = join(values.cache, `${values.size}-${files.length}-${values.key.slice(0, 8)}.bin`);
const captured = await captureFaces(files, size, values.key, cacheFile);
const recognizer = await Recognizer.create(ModelStore.open());
const sampler = new PictureSampler(CROP_SIZE, CROP_SIZE);
const originals: Float32Array[] = [];
for (const one of captured)
  for (const face of one.faces) originals.push(await recognizer.embed(asPicture(one), fivePoints(face)));
console.info(`${captured.length} pictures, ${originals.length} faces, session key ${values.key.slice(0, 8)}…`);

for (const name of values.variants.split(',')) {
  const photometry = VARIANTS[name];
  if (!photometry) throw new Error(`no variant ${name}; there are ${Object.keys(VARIANTS).join(', ')}`);
  const faceMemory = new SharedArrayBuffer(16 * FACE_SLOT_BYTES);
  const compositor = await Compositor.start({ mode: 'generate', faceMemory, faceSize: 128, photometry });
  const cosines: number[] = [];
  const errors: number[] = [];
  let rankOne = 0;
  let elapsedMs = 0;
  try {
    for (const [index, one] of captured.entries()) {
      if (one.faces.length === 0) continue;
      for (const [i, slot] of one.slots.entries()) new Uint8Array(faceMemory, i * FACE_SLOT_BYTES).set(slot);
      const faces = one.faces.map((face, faceSlot) => ({ ...face, faceSlot }));
      const planes = new SharedArrayBuffer(planeLayout(...size).byteLength);
      new Uint8Array(planes).set(one.planes);
      const slotOf = (memory: SharedArrayBuffer) => ({ index: 0, memory, release() {} });
      const raw = new RawFrame({ sequence: index, timestampUs: 0, format: one.format }, slotOf(planes));
      const began = performance.now();
      const { frame } = await compositor.compose(raw, faces, slotOf(new SharedArrayBuffer(planes.byteLength)), 0);
      elapsedMs += performance.now() - began;
      if (frame.kind !== 'composed') throw new Error(`${one.name} was veiled`);
      const composed = { planes: frame.pixels, format: one.format };
      for (const [i, face] of one.faces.entries()) {
        const embedding = await recognizer.embed(composed, fivePoints(face));
        const gallery = originals.map((other) => other.reduce((sum, x, k) => sum + x * embedding[k]!, 0));
        const own = gallery[cosines.length]!;
        if (own === Math.max(...gallery)) rankOne++;
        cosines.push(own);
        const mask = one.slots[i]!.subarray(CROP_SIZE * CROP_SIZE * 4, CROP_SIZE * CROP_SIZE * 5);
        errors.push(siMse(cropOf(asPicture(one), face), cropOf(composed, face), mask));
      }
      if (values.pictures) {
        mkdirSync(values.pictures, { recursive: true });
        const at = join(values.pictures, `${String(index).padStart(3, '0')}-${name}.png`);
        savePng(at, rgba(composed), ...size);
      }
    }
  } finally {
    await compositor.close();
  }
  const mean = (xs: number[]) => xs.reduce((a, b) => a + b, 0) / xs.length;
  const accepted = cosines.filter((c) => c > SAME_PERSON).length;
  const percent = (n: number) => `${((100 * n) / cosines.length).toFixed(1)} %`;
  console.info(
    `${name.padEnd(8)} cosine ${mean(cosines).toFixed(4)}, accepted ${percent(accepted)}, rank-1 ${percent(rankOne)}, ` +
      `Si-MSE ${mean(errors).toFixed(5)}, ${(elapsedMs / cosines.length).toFixed(1)} ms a face`,
  );
}

function asPicture({ planes, format }: CapturedPicture): Picture {
  return { planes, format };
}

function cropOf(picture: Picture, face: TrackedFace): Float32Array {
  const n = CROP_SIZE * CROP_SIZE;
  const planar = new Float32Array(3 * n);
  sampler.rgb(picture, face.toPicture!, planar, 0, 1 / 255);
  return Float32Array.from({ length: 3 * n }, (_, i) => planar[(i % 3) * n + Math.floor(i / 3)]!);
}

/** ArcFace's five points in the picture, from the person's own landmarks. */
function fivePoints({ own, toPicture: t }: TrackedFace): Float32Array {
  const groups = [[36, 37, 38, 39, 40, 41], [42, 43, 44, 45, 46, 47], [30], [48], [54]];
  const points = groups.flatMap((group) => {
    const [u, v] = [0, 1].map((axis) => group.reduce((sum, i) => sum + own![2 * i + axis]!, 0) / group.length);
    return [t!.a * u! + t!.b * v! + t!.c, t!.d * u! + t!.e * v! + t!.f];
  });
  return Float32Array.from(points);
}

function rgba({ planes, format }: Picture): Uint8Array {
  const { width, height } = format;
  const { chromaWidth, cbOffset, crOffset } = planeLayout(width, height);
  const out = new Uint8Array(width * height * 4).fill(255);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const l = 1.164 * (planes[y * width + x]! - 16);
      const at = (y >> 1) * chromaWidth + (x >> 1);
      const [cb, cr] = [planes[cbOffset + at]! - 128, planes[crOffset + at]! - 128];
      const rgb = [l + 1.596 * cr, l - 0.392 * cb - 0.813 * cr, l + 2.017 * cb];
      for (let c = 0; c < 3; c++) out[4 * (y * width + x) + c] = Math.max(0, Math.min(255, Math.round(rgb[c]!)));
    }
  }
  return out;
}
