/**
 * Judges a photometry by re-identification first: composes captured faces with each variant and compares them with
 * their originals. `npx tsx bench/photometry.ts FOLDER_OF_PORTRAITS [--keys 11,22,33] [--variants a,b] [--pictures OUT]`. Differences
 * are to the first variant, with 95 % intervals of a bootstrap over people.
 */
import { mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { FACE_SLOT_BYTES } from '../src/core/face-slot.ts';
import { CROP_SIZE, type TrackedFace } from '../src/core/face-track.ts';
import { planeLayout, RawFrame } from '../src/core/video-frame.ts';
import type { Picture } from '../src/core/vision.ts';
import { siMse } from '../src/evaluate/metrics/si-mse.ts';
import { bootstrapMean, mean } from '../src/evaluate/metrics/statistics.ts';
import { Compositor } from '../src/gpu-post/compositor.ts';
import type { PhotometryOptions } from '../src/gpu-post/photometry-options.ts';
import { ModelStore } from '../src/infer/model-store.ts';
import { Recognizer } from '../src/infer/recognizer.ts';
import { PictureSampler } from '../src/infer/sample.ts';
import { savePng } from '../test/support/photo.ts';
import { type CapturedPicture, captureFaces } from './captured-face.ts';

const ON = { relight: true, pyramid: true, colour: true, sigmaInterocular: 0.24 };
const VARIANTS: Record<string, PhotometryOptions> = {
  none: { ...ON, relight: false, pyramid: false, colour: false, contrast: false, sharpness: false, features: false },
  colour: { ...ON, relight: false, pyramid: false, contrast: false },
  relight: { ...ON, pyramid: false },
  pyramid: { ...ON, relight: false },
  wide: { ...ON, sigmaInterocular: 0.32 },
  wider: { ...ON, sigmaInterocular: 0.4 },
  flat: { ...ON, contrast: false },
  soft: { ...ON, sharpness: false },
  undrawn: { ...ON, features: false },
  all: ON,
  // The paper's formula taken literally: what `run` refuses, and why.
  literal: { ...ON, shading: 'bilateral', sigmaInterocular: 0.08, sigmaRange: 0.1, allowIdentifying: true },
};
/** Cosine above which fr_feature calls two pictures one person. */
const SAME_PERSON = 0.3;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    keys: { type: 'string', default: '11,22,33' },
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
const recognizer = await Recognizer.create(ModelStore.open());
const sampler = new PictureSampler(CROP_SIZE, CROP_SIZE);
const names = values.variants.split(',');
/** Cosines of originals of different people: what the recognizer makes of pictures of this size at all. */
const strangers: number[] = [];
for (const name of names)
  if (!VARIANTS[name]) throw new Error(`no variant ${name}; there are ${Object.keys(VARIANTS).join(', ')}`);

interface Result {
  readonly person: string;
  readonly cosine: number;
  readonly accepted: number;
  readonly rankOne: number;
  readonly siMse: number;
}
const results = new Map<string, Result[]>(names.map((name) => [name, []]));
for (const key of values.keys.split(',')) {
  const cacheFile = join(values.cache, `${values.size}-${files.length}-${key}.bin`);
  // A short key is written out: four digits are enough to tell sessions apart here.
  const captured = await captureFaces(files, size, key.repeat(Math.ceil(64 / key.length)).slice(0, 64), cacheFile);
  const gallery: Float32Array[] = [];
  for (const one of captured)
    for (const face of one.faces) gallery.push(await recognizer.embed(asPicture(one), fivePoints(face)));
  for (const name of names) results.get(name)!.push(...(await compare(name, captured, gallery)));
  for (const [i, a] of gallery.entries())
    for (const b of gallery.slice(i + 1)) strangers.push(a.reduce((sum, x, k) => sum + x * b[k]!, 0));
}

const reference = results.get(names[0]!)!;
console.info(`${reference.length} faces of ${files.length} pictures, session keys ${values.keys}`);
const taken = mean(strangers.map((cosine) => Number(cosine > SAME_PERSON)));
console.info(`two originals of different people: cosine ${mean(strangers).toFixed(5)}, accepted ${taken.toFixed(5)}`);
for (const [name, list] of results) {
  const parts = (['cosine', 'accepted', 'rankOne', 'siMse'] as const).map((what) => {
    const value = mean(list.map((r) => r[what]));
    const change = bootstrapMean(
      list.map((r, i) => r[what] - reference[i]![what]),
      list.map((r) => r.person),
    );
    return `${what} ${value.toFixed(5)} (${signed(change.value)}, ${signed(change.low)} to ${signed(change.high)})`;
  });
  console.info(`${name.padEnd(8)} ${parts.join('  ')}`);
}

async function compare(
  name: string,
  captured: readonly CapturedPicture[],
  gallery: readonly Float32Array[],
): Promise<Result[]> {
  const faceMemory = new SharedArrayBuffer(16 * FACE_SLOT_BYTES);
  const photometry = VARIANTS[name]!;
  const compositor = await Compositor.start({ mode: 'generate', faceMemory, faceSize: CROP_SIZE, photometry });
  const list: Result[] = [];
  try {
    for (const [index, one] of captured.entries()) {
      for (const [i, slot] of one.slots.entries()) new Uint8Array(faceMemory, i * FACE_SLOT_BYTES).set(slot);
      // Every picture is a recording of its own: colours are not smoothed from one to the next.
      const faces = one.faces.map((face, faceSlot) => ({ ...face, faceSlot, trackId: 100 * index + faceSlot }));
      const planes = new SharedArrayBuffer(planeLayout(...size).byteLength);
      new Uint8Array(planes).set(one.planes);
      const slotOf = (memory: SharedArrayBuffer) => ({ index: 0, memory, release() {} });
      const raw = new RawFrame({ sequence: index, timestampUs: 0, format: one.format }, slotOf(planes));
      const { frame } = await compositor.compose(raw, faces, slotOf(new SharedArrayBuffer(planes.byteLength)), 0);
      if (frame.kind !== 'composed') throw new Error(`${one.name} was veiled`);
      const composed = { planes: frame.pixels, format: one.format };
      for (const [i, face] of one.faces.entries()) {
        const embedding = await recognizer.embed(composed, fivePoints(face));
        const cosines = gallery.map((other) => other.reduce((sum, x, k) => sum + x * embedding[k]!, 0));
        const cosine = cosines[list.length]!;
        const mask = one.slots[i]!.subarray(CROP_SIZE * CROP_SIZE * 4, CROP_SIZE * CROP_SIZE * 5);
        list.push({
          person: one.name,
          cosine,
          accepted: Number(cosine > SAME_PERSON),
          rankOne: Number(cosine === Math.max(...cosines)),
          siMse: siMse(cropOf(asPicture(one), face), cropOf(composed, face), mask),
        });
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
  return list;
}

function signed(value: number): string {
  return `${value < 0 ? '' : '+'}${value.toFixed(5)}`;
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
