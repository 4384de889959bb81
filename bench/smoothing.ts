// Jitter of a still face and lag of a fast mouth under different smoothings: npx tsx bench/smoothing.ts

import { cropFromBox, cropFromPoints } from '../src/core/landmark-crop.ts';
import { FaceDetector } from '../src/infer/detector.ts';
import { LandmarkModel } from '../src/infer/landmarks.ts';
import { ModelStore } from '../src/infer/model-store.ts';
import { mapPoints } from '../src/track/canonical.ts';
import { FacePoints } from '../src/track/face-points.ts';
import type { SmoothingOptions } from '../src/track/options.ts';
import { demoPhoto } from '../test/support/demo-photo.ts';

const FRAMES = 90;
const DT = 1 / 30;
const NOISE = 4;
/** Speech opens and closes a mouth about four times a second. */
const SPEECH_HZ = 4;
const OPENING_PX = 5;
const UPPER = 62;
const LOWER = 66;

function normal(random: () => number): number {
  return Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
}
let seed = 1;
const random = () => {
  seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0;
  return seed / 2 ** 32;
};

/** The landmark model's points of one still face, frame by frame, with fresh sensor noise on each. */
async function stillFace(): Promise<Float32Array[]> {
  const store = ModelStore.open();
  const [detector, model] = [await FaceDetector.create(store), await LandmarkModel.create(store)];
  const photo = demoPhoto(3);
  const { width, height } = photo.format;
  const [face] = await detector.detect(photo, { x: 0, y: 0, width, height, quarterTurns: 0 }, 0.9);
  let points = await model.find(photo, cropFromBox(face!));
  const clean = photo.planes.slice();
  const found: Float32Array[] = [];
  for (let n = 0; n < FRAMES; n++) {
    for (let i = 0; i < width * height; i++)
      photo.planes[i] = Math.max(0, Math.min(255, clean[i]! + NOISE * normal(random)));
    points = await model.find(photo, cropFromPoints(points));
    found.push(points);
  }
  return found;
}

const unknown = new Float32Array(4).fill(-1000);

/** Root-mean-square movement from frame to frame of the points as drawn, canonical pixels. */
function jitter(found: readonly Float32Array[], options: SmoothingOptions): number {
  const smoother = new FacePoints(options);
  let before: Float32Array | undefined;
  let sum = 0;
  let count = 0;
  for (const [n, points] of found.entries()) {
    const face = smoother.update(points, unknown, DT)!;
    const drawn = mapPoints(face.toPicture, face.own);
    if (before && n > 15) {
      for (let i = 0; i < 136; i++) sum += (drawn[i]! - before[i]!) ** 2;
      count += 68;
    }
    before = drawn;
  }
  const { a, d } = smoother.face!.toPicture;
  return Math.sqrt(sum / count) / Math.hypot(a, d);
}

/** Delay in milliseconds and share of the height of a mouth that opens and closes, against its true opening. */
function speech(rest: Float32Array, options: SmoothingOptions): { lagMs: number; gain: number } {
  const smoother = new FacePoints(options);
  let [sin, cos] = [0, 0];
  const frames = 240;
  for (let n = 0; n < frames; n++) {
    const points = Float32Array.from(rest);
    const phase = 2 * Math.PI * SPEECH_HZ * n * DT;
    points[2 * LOWER + 1]! += OPENING_PX * scaleOf(rest) * (0.5 + 0.5 * Math.sin(phase));
    const face = smoother.update(points, unknown, DT)!;
    const drawn = mapPoints(face.toPicture, face.own);
    const opening = drawn[2 * LOWER + 1]! - drawn[2 * UPPER + 1]!;
    if (n < 30) continue;
    sin += opening * Math.sin(phase);
    cos += opening * Math.cos(phase);
  }
  const height = (2 * Math.hypot(sin, cos)) / (frames - 30) / (0.5 * OPENING_PX * scaleOf(rest));
  return { lagMs: (1000 * -Math.atan2(cos, sin)) / (2 * Math.PI * SPEECH_HZ), gain: height };
}

/** Picture pixels per canonical pixel. */
function scaleOf(points: Float32Array): number {
  const face = new FacePoints({ minCutoffHz: 1, beta: 0, speedCutoffHz: 1 }).update(points, unknown, DT)!;
  return Math.hypot(face.toPicture.a, face.toPicture.d);
}

const found = await stillFace();
const none = { minCutoffHz: 1e6, beta: 0, speedCutoffHz: 4 };
console.log('| minCutoffHz | beta | jitter, still face (px of 128) | lag of a 4 Hz mouth | height kept |');
console.log('|---|---|---|---|---|');
const row = (name: string, options: SmoothingOptions) => {
  const { lagMs, gain } = speech(found[0]!, options);
  console.log(
    `| ${name} | ${jitter(found, options).toFixed(3)} | ${lagMs.toFixed(0)} ms | ${(100 * gain).toFixed(0)} % |`,
  );
};
row('none | –', none);
for (const minCutoffHz of [0.7, 1.5, 3])
  for (const beta of [0.06, 0.15, 0.4, 1]) row(`${minCutoffHz} | ${beta}`, { minCutoffHz, beta, speedCutoffHz: 4 });
