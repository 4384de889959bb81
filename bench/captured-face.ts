import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { deserialize, serialize } from 'node:v8';
import { FACE_SLOT_BYTES, faceSlotViews } from '../src/core/face-slot.ts';
import type { TrackedFace } from '../src/core/face-track.ts';
import { type PictureFormat, planeLayout } from '../src/core/video-frame.ts';
import { FaceDetector } from '../src/infer/detector.ts';
import { Generator } from '../src/infer/generator.ts';
import { Identities } from '../src/infer/identity.ts';
import { IrisModel } from '../src/infer/iris.ts';
import { LandmarkModel } from '../src/infer/landmarks.ts';
import { ModelStore } from '../src/infer/model-store.ts';
import { Recognizer } from '../src/infer/recognizer.ts';
import { StreamAnalyser } from '../src/track/analyser.ts';
import { loadShapeModel } from '../src/track/shape-model.ts';

/** One picture with its faces as they come to the compositor: what a comparison of photometries starts from. */
export interface CapturedPicture {
  readonly name: string;
  readonly format: PictureFormat;
  readonly planes: Uint8Array;
  readonly faces: readonly TrackedFace[];
  /** One slot (crop, mask, generated face) per face, in order. */
  readonly slots: readonly Uint8Array[];
}

/** Frames each picture is shown to the tracker, so that its smoothing and its neutral shape settle. */
const FRAMES_EACH = 8;

/** Runs tracker and generator over still pictures; kept in `cacheFile`, because the compositor is what is studied. */
export async function captureFaces(
  files: readonly string[],
  size: readonly [number, number],
  key: string,
  cacheFile: string,
): Promise<CapturedPicture[]> {
  if (existsSync(cacheFile)) return deserialize(readFileSync(cacheFile)) as CapturedPicture[];
  const store = ModelStore.open();
  const shape = loadShapeModel(store.verify('shape-68'));
  const ports = {
    finder: await FaceDetector.create(store),
    landmarks: await LandmarkModel.create(store),
    pupils: await IrisModel.create(store),
    embedder: await Recognizer.create(store),
  };
  const generator = await Generator.create(store.verify('generator-128'));
  const identities = Identities.load(store, 1);
  const captured: CapturedPicture[] = [];
  for (const [index, name] of files.entries()) {
    // Portraits before one background show no cut: without a key and a tracker each, all would be one person's.
    const sessionKey = createHash('sha256').update(`${key} ${index}`).digest();
    const analyser = new StreamAnalyser(ports, shape, { mode: 'file', sessionKey });
    const { planes, format } = readPicture(name, size);
    let faces: TrackedFace[] = [];
    for (let sequence = 0; sequence < FRAMES_EACH; sequence++)
      faces = (await analyser.analyse({ planes, format }, { sequence, timestampUs: sequence * 33_333 })).faces;
    const slots: Uint8Array[] = [];
    const kept: TrackedFace[] = [];
    for (const face of faces) {
      if (face.cover !== 'generated') continue;
      const memory = new SharedArrayBuffer(FACE_SLOT_BYTES);
      const slot = faceSlotViews(memory, 0, generator.faceSize);
      await generator.run([{ picture: { planes, format }, face, z: identities.zFor(sessionKey, face.personId), slot }]);
      slots.push(new Uint8Array(memory).slice());
      kept.push(face);
    }
    captured.push({ name, format, planes: planes.slice(), faces: kept, slots });
  }
  mkdirSync(dirname(cacheFile), { recursive: true });
  writeFileSync(cacheFile, serialize(captured));
  return captured;
}

function readPicture(file: string, [width, height]: readonly [number, number]) {
  const fit = `scale=${width}:${height}:force_original_aspect_ratio=increase:out_color_matrix=bt601:out_range=tv,crop=${width}:${height},format=yuv420p`;
  const args = ['-v', 'error', '-i', file, '-vf', fit, '-frames:v', '1', '-f', 'rawvideo', '-'];
  const bytes = execFileSync('ffmpeg', args, { maxBuffer: 1 << 26 });
  const planes = new Uint8Array(new SharedArrayBuffer(planeLayout(width, height).byteLength));
  planes.set(bytes);
  const format: PictureFormat = { width, height, colour: { matrix: 'bt601', range: 'limited' } };
  return { planes, format };
}
