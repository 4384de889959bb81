// How far the pupil that is not looked at on a frame lies from where a look at both eyes finds it: npx tsx bench/gaze.ts CLIP…

import { execFileSync } from 'node:child_process';
import { FaceDetector } from '../src/infer/detector.ts';
import { IrisModel } from '../src/infer/iris.ts';
import { LandmarkModel } from '../src/infer/landmarks.ts';
import { ModelStore } from '../src/infer/model-store.ts';
import { Gaze } from '../src/track/gaze.ts';
import { LandmarkLocator } from '../src/track/landmarks.ts';
import { findPupils, openEyes } from '../src/track/pupils.ts';
import { loadShapeModel } from '../src/track/shape-model.ts';

const FRAMES = 200;
const store = ModelStore.open();
const iris = await IrisModel.create(store);
const detector = await FaceDetector.create(store);
const locator = new LandmarkLocator(await LandmarkModel.create(store), loadShapeModel(store.verify('shape-68')));

function frames(clip: string): { planes: Uint8Array; width: number; height: number }[] {
  const size = execFileSync(
    'ffprobe',
    `-v error -select_streams v:0 -show_entries stream=width,height -of csv=p=0:s=x ${clip}`.split(' '),
  );
  const [width, height] = size
    .toString()
    .trim()
    .split('x')
    .map((v) => 2 * Math.floor(Number(v) / 2)) as [number, number];
  const raw = execFileSync(
    'ffmpeg',
    [
      '-v',
      'error',
      '-i',
      clip,
      '-frames:v',
      `${FRAMES}`,
      '-vf',
      `crop=${width}:${height}:0:0`,
      '-f',
      'rawvideo',
      '-pix_fmt',
      'yuv420p',
      '-',
    ],
    { maxBuffer: 2 ** 31 },
  );
  const bytes = (width * height * 3) / 2;
  return Array.from({ length: raw.length / bytes }, (_, i) => ({
    planes: raw.subarray(i * bytes, (i + 1) * bytes),
    width,
    height,
  }));
}

/** Movement of the pupil in its eye between two frames, and what half the looks add to it; canonical pixels (of 128 a face). */
for (const clip of process.argv.slice(2)) {
  const gaze = new Gaze();
  const differences: number[] = [];
  let last: Float32Array | undefined;
  for (const { planes, width, height } of frames(clip)) {
    const picture = { planes, format: { width, height, colour: { matrix: 'bt601', range: 'limited' } as const } };
    const [face] = await detector.detect(picture, { x: 0, y: 0, width, height, quarterTurns: 0 }, 0.7);
    if (!face) {
      gaze.reset();
      continue;
    }
    const at = await locator.locate(picture, face, {
      angle: 0,
      trustedBefore: last !== undefined,
      ...(last && { expected: last }),
    });
    last = at.trusted ? at.points : undefined;
    if (!at.trusted) {
      gaze.reset();
      continue;
    }
    const eyes = openEyes(at.points, at.roll);
    const [both, one] = [await findPupils(iris, picture, eyes), await gaze.find(iris, picture, at.points, at.roll)];
    const apart = Math.hypot(at.points[72]! - at.points[90]!, at.points[73]! - at.points[91]!);
    for (const i of [0, 1]) {
      if (both[2 * i]! < -999 || one[2 * i]! < -999) continue;
      // Outer corners are 0.43 of the canonical side apart.
      differences.push(
        (Math.hypot(both[2 * i]! - one[2 * i]!, both[2 * i + 1]! - one[2 * i + 1]!) / apart) * 0.43 * 128,
      );
    }
  }
  differences.sort((a, b) => a - b);
  const quantile = (q: number) => (differences[Math.floor(q * (differences.length - 1))] ?? Number.NaN).toFixed(2);
  const mean = differences.reduce((sum, v) => sum + v, 0) / differences.length;
  process.stdout.write(
    `${clip}: ${differences.length} pupils, mean ${mean.toFixed(2)}, p95 ${quantile(0.95)}, p99 ${quantile(0.99)} px\n`,
  );
}
