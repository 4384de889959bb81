/**
 * How much a face that stands still changes from frame to frame when its landmarks are found 0.3 pixels (of 128) off, anew on every frame:
 * `npx tsx bench/still.ts FOLDER_OF_PORTRAITS [--match _neutral.jpg] [--limit 12] [--noise 0.3]`. RMS over the mask, of 255, in the canonical crop:
 * of what the network draws when it is given such points, of what is composed and of what is averaged over time then, and of what is
 * served, where the points are smoothed first.
 */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { FACE_SLOT_BYTES, faceSlotViews } from '../src/core/face-slot.ts';
import { CROP_SIZE, type TrackedFace } from '../src/core/face-track.ts';
import { planeLayout, RawFrame } from '../src/core/video-frame.ts';
import type { Picture } from '../src/core/vision.ts';
import { mean, seededRandom } from '../src/evaluate/metrics/statistics.ts';
import { Compositor } from '../src/gpu-post/compositor.ts';
import type { PhotometryOptions } from '../src/gpu-post/photometry-options.ts';
import { Generator } from '../src/infer/generator.ts';
import { Identities } from '../src/infer/identity.ts';
import { ModelStore } from '../src/infer/model-store.ts';
import { PictureSampler } from '../src/infer/sample.ts';
import { invert, mapPoints } from '../src/track/canonical.ts';
import { FacePoints } from '../src/track/face-points.ts';
import { trackOptions } from '../src/track/options.ts';
import { RestingFace } from '../src/track/resting-face.ts';
import { type CapturedPicture, captureFaces } from './captured-face.ts';

const FRAMES = 24;
/** Frames until what is averaged has settled. */
const SETTLED = 6;
const AREA = CROP_SIZE * CROP_SIZE;
const SIZE = [640, 640] as const;
const ON = { relight: true, pyramid: true, colour: true, sigmaInterocular: 0.24 };

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    match: { type: 'string', default: '_neutral.jpg' },
    limit: { type: 'string', default: '12' },
    noise: { type: 'string', default: '0.3' },
    cache: { type: 'string', default: '/tmp/understudy-captured' },
  },
});
const noisePx = Number(values.noise);
const folder = positionals[0] ?? '../shared/data/london';
const files = readdirSync(folder)
  .filter((name) => name.endsWith(values.match))
  .slice(0, Number(values.limit))
  .map((name) => join(folder, name));
const store = ModelStore.open();
const key = '5a'.repeat(32);
const captured = await captureFaces(files, SIZE, key, join(values.cache, `still-${files.length}.bin`));
const { smoothing } = trackOptions({ mode: 'live', sessionKey: Buffer.from(key, 'hex') });
const identities = Identities.load(store, 1);
const sampler = new PictureSampler(CROP_SIZE, CROP_SIZE);

for (const network of ['generator-128', 'generator-128-int8'] as const) {
  const generator = await Generator.create(store.verify(network));
  const ways = {
    network: { smooth: false },
    composed: { smooth: false, photometry: { ...ON, steady: false } },
    averaged: { smooth: false, photometry: ON },
    'points smoothed': { smooth: true, photometry: { ...ON, steady: false } },
    served: { smooth: true, photometry: ON },
  };
  for (const [name, way] of Object.entries(ways))
    console.info(`${network} ${name}: ${(await measured(generator, way)).toFixed(2)}`);
}

interface Way {
  /** Whether the points go through the smoothing first. */
  readonly smooth: boolean;
  /** Absent: the network's own face is looked at. */
  readonly photometry?: PhotometryOptions;
}

/** Mean over the faces of the RMS change in the mask. */
async function measured(generator: Generator, { smooth, photometry }: Way): Promise<number> {
  const memory = new SharedArrayBuffer(FACE_SLOT_BYTES);
  const slot = faceSlotViews(memory, 0, CROP_SIZE);
  const compositor =
    photometry && (await Compositor.start({ mode: 'generate', faceMemory: memory, faceSize: CROP_SIZE, photometry }));
  const changes: number[] = [];
  for (const [index, one] of captured.entries()) {
    const face = one.faces[0];
    if (!face) continue;
    const random = seededRandom(index + 1);
    const z = identities.zFor(Buffer.from(key, 'hex'), face.personId);
    const points = { smoother: new FacePoints(smoothing), resting: new RestingFace() };
    let before: Float32Array | undefined;
    const squares: number[] = [];
    for (let n = 0; n < FRAMES; n++) {
      const moved = smooth ? smoothed(points, face, random) : { ...face, driven: jitter(face.driven!, random) };
      const jittered = { ...moved, trackId: index };
      await generator.run([{ picture: one, face: jittered, z, slot }]);
      const now = compositor ? cropOf(await compose(compositor, one, jittered, n), face) : rgb(slot.face);
      if (before && n > SETTLED) squares.push(change(before, now, slot.mask));
      before = now;
    }
    changes.push(Math.sqrt(mean(squares)));
  }
  await compositor?.close();
  return mean(changes);
}

async function compose(compositor: Compositor, one: CapturedPicture, face: TrackedFace, n: number): Promise<Picture> {
  const planes = new SharedArrayBuffer(planeLayout(...SIZE).byteLength);
  new Uint8Array(planes).set(one.planes);
  const slotOf = (buffer: SharedArrayBuffer) => ({ index: 0, memory: buffer, release() {} });
  const raw = new RawFrame({ sequence: n, timestampUs: n * 33_333, format: one.format }, slotOf(planes));
  const out = slotOf(new SharedArrayBuffer(planes.byteLength));
  const { frame } = await compositor.compose(raw, [{ ...face, faceSlot: 0 }], out, 0);
  if (frame.kind !== 'composed') throw new Error(`${one.name} was veiled`);
  return { planes: frame.pixels, format: one.format };
}

interface Points {
  readonly smoother: FacePoints;
  readonly resting: RestingFace;
}

/** The face as tracking makes it of points with noise. */
function smoothed({ smoother, resting }: Points, face: TrackedFace, random: () => number): TrackedFace {
  const [own, driven, toPicture] = [face.own!, face.driven!, face.toPicture!];
  const found = mapPoints(toPicture, jitter(own, random));
  const now = smoother.update(found.subarray(0, 136), found.subarray(136), 1 / 30)!;
  const inFirst = mapPoints(invert(toPicture), mapPoints(now.toPicture, now.own));
  const shifted = driven.map((v, i) => v + inFirst[i]! - own[i]!);
  const inNow = known(driven, mapPoints(invert(now.toPicture), mapPoints(toPicture, shifted)));
  return { ...face, ...resting.follow({ ...now, driven: inNow }) };
}

/** Pupils that nobody found stay unknown. */
function known(before: Float32Array, after: Float32Array): Float32Array {
  return after.map((v, i) => (before[i]! > -999 ? v : -1000));
}

function jitter(points: Float32Array, random: () => number): Float32Array {
  const normal = () => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
  return points.map((v) => (v > -999 ? v + noisePx * normal() : v));
}

/** Interleaved, of 255, of the canonical crop. */
function cropOf(picture: Picture, face: TrackedFace): Float32Array {
  const planar = new Float32Array(3 * AREA);
  sampler.rgb(picture, face.toPicture!, planar, 0, 1);
  return Float32Array.from({ length: 3 * AREA }, (_, i) => planar[(i % 3) * AREA + Math.floor(i / 3)]!);
}

function rgb(rgba: Uint8Array): Float32Array {
  return Float32Array.from({ length: 3 * AREA }, (_, i) => rgba[4 * Math.floor(i / 3) + (i % 3)]!);
}

/** Mean squared difference over the mask. */
function change(a: Float32Array, b: Float32Array, mask: Uint8Array): number {
  let sum = 0;
  let n = 0;
  for (let p = 0; p < AREA; p++) {
    if (mask[p]! < 128) continue;
    for (let c = 0; c < 3; c++) sum += (a[3 * p + c]! - b[3 * p + c]!) ** 2;
    n += 3;
  }
  return sum / n;
}
