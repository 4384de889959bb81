import { type InferenceSession, Tensor } from 'onnxruntime-node';
import type { Detection, Region } from '../core/face-track.ts';
import type { DetectorWindow, FaceFinder, Picture } from '../core/vision.ts';
import type { ModelStore } from './model-store.ts';
import { PictureSampler, valuesOf, windowSampling } from './sample.ts';
import { createSession, type SessionOptions } from './session.ts';
import { liftShadows, lighten, paleStretch, spread } from './tones.ts';

const WIDTH = 320;
const HEIGHT = 240;
const OFFSET = 127;
const SCALE = 1 / 128;
/** Overlap over the union above which two boxes are one face. */
const SAME_FACE = 0.3;

/** A picture goes on left and right as in a mirror: half a face at its side looks like a whole one, and is found.
 * RFB-320: 1×3×240×320 RGB (x − 127)/128 → 4420 scores and corner boxes, normalised. */
export class FaceDetector implements FaceFinder {
  readonly #session: InferenceSession;
  readonly #sampler = new PictureSampler(WIDTH, HEIGHT, true);

  private constructor(session: InferenceSession) {
    this.#session = session;
  }

  static async create(store: ModelStore, options: SessionOptions = {}): Promise<FaceDetector> {
    return new FaceDetector((await createSession(store.verify('face-detector'), options)).session);
  }

  async detect(picture: Picture, window: DetectorWindow, minScore: number): Promise<Detection[]> {
    // The network's aspect is 4:3: a window of another shape is letterboxed by growing it beyond its edge.
    const grown = letterbox(window);
    const rgb = this.#sampler.rgbUnclipped(picture, windowSampling(grown, WIDTH, HEIGHT), OFFSET, SCALE);
    const pale = paleStretch(picture);
    if (pale) spread(rgb, pale, OFFSET, SCALE);
    else if (!lighten(rgb, OFFSET, SCALE) && window.lifted && !liftShadows(rgb, OFFSET, SCALE)) return [];
    const result = await this.#session.run({ input: new Tensor('float32', valuesOf(rgb), [1, 3, HEIGHT, WIDTH]) });
    const scores = result.scores!.data as Float32Array;
    const boxes = result.boxes!.data as Float32Array;
    const found: Detection[] = [];
    let sum = 0;
    for (let i = 0; i < scores.length / 2; i++) {
      const score = scores[2 * i + 1]!;
      sum += score;
      if (score >= minScore) found.push({ ...withinSides(toPicture(boxes, 4 * i, grown), grown, picture), score });
    }
    // NaN is below every threshold: a broken network would otherwise look like a picture without faces.
    if (!Number.isFinite(sum)) throw new Error('the face detector answered with values that are no numbers');
    return suppress(found);
  }
}

function letterbox(w: DetectorWindow): DetectorWindow {
  const turned = w.quarterTurns % 2 === 1;
  const aspect = turned ? HEIGHT / WIDTH : WIDTH / HEIGHT;
  const width = Math.max(w.width, w.height * aspect);
  const height = width / aspect;
  return {
    x: w.x - (width - w.width) / 2,
    y: w.y - (height - w.height) / 2,
    width,
    height,
    quarterTurns: w.quarterTurns,
  };
}

/** A normalised box of the turned window back in picture pixels. */
function toPicture(boxes: Float32Array, at: number, w: DetectorWindow) {
  const [l, t, r, b] = [boxes[at]!, boxes[at + 1]!, boxes[at + 2]!, boxes[at + 3]!];
  const [x0, y0, x1, y1] = [
    [l, t, r, b],
    [t, 1 - r, b, 1 - l],
    [1 - r, 1 - b, 1 - l, 1 - t],
    [1 - b, l, 1 - t, r],
  ][w.quarterTurns] as [number, number, number, number];
  return { x: w.x + x0 * w.width, y: w.y + y0 * w.height, width: (x1 - x0) * w.width, height: (y1 - y0) * w.height };
}

/** A face of which the picture's side shows less than half is found in its mirror image. */
function withinSides(box: Region, { quarterTurns }: DetectorWindow, { format: { width } }: Picture): Region {
  const centre = box.x + box.width / 2;
  if (quarterTurns % 2 === 1 || (centre >= 0 && centre <= width)) return box;
  return { ...box, x: (centre < 0 ? 0 : 2 * width) - box.x - box.width };
}

/** Greedy non-maximum suppression, best first. */
export function suppress(found: Detection[]): Detection[] {
  const kept: Detection[] = [];
  for (const d of found.sort((a, b) => b.score - a.score)) {
    if (kept.every((k) => overlap(k, d) < SAME_FACE)) kept.push(d);
  }
  return kept;
}

function overlap(a: Detection, b: Detection): number {
  const w = Math.min(a.x + a.width, b.x + b.width) - Math.max(a.x, b.x);
  const h = Math.min(a.y + a.height, b.y + b.height) - Math.max(a.y, b.y);
  if (w <= 0 || h <= 0) return 0;
  return (w * h) / (a.width * a.height + b.width * b.height - w * h);
}
