import { existsSync, readFileSync } from 'node:fs';
import type { Region } from '../../core/face-track.ts';
import { planeLayout } from '../../core/video-frame.ts';
import type { Picture } from '../../core/vision.ts';
import { similarity } from '../../infer/recognizer.ts';
import { toRgb } from '../../infer/sample.ts';
import { readShapePredictor, type ShapePredictor, type Stage } from './dlib-file.ts';
import type { LandmarkJudge } from './judges.ts';

/** Where Debian's package `libdlib-data` puts it. Trained on iBUG 300-W, which is for research: read where it is installed, never shipped. */
export const DLIB_POINTS_PATH = '/usr/share/dlib/shape_predictor_68_face_landmarks.dat';

/** The square that dlib's own detector gives, from the runtime's box: side over its height, centre below its own in sides. */
const SIDE = 0.785;
const DOWN = 0.067;
/** The second pass starts where the first one ended, so that the detector's box matters less. */
const PASSES = 2;

/** dlib's 68 points (the paper's judge of pose and expression), read from the file that Debian ships. */
export class DlibPoints implements LandmarkJudge {
  readonly name = "dlib's 68 points";
  readonly #path: string;
  #loaded: ShapePredictor | undefined;

  private constructor(path: string) {
    this.#path = path;
  }

  /** Reading 100 MB takes seconds: put off until the first face. @returns undefined when the file is not there */
  static open(path = DLIB_POINTS_PATH): DlibPoints | undefined {
    return existsSync(path) ? new DlibPoints(path) : undefined;
  }

  /** @throws Error when the file is something else */
  get #model(): ShapePredictor {
    this.#loaded ??= readShapePredictor(readFileSync(this.#path));
    return this.#loaded;
  }

  find(picture: Picture, box: Region): Float32Array {
    const side = SIDE * box.height;
    let rect = { x: box.x + box.width / 2 - side / 2, y: box.y + box.height / 2 + DOWN * side - side / 2, side };
    let points = this.#predict(picture, rect);
    for (let pass = 1; pass < PASSES; pass++) {
      rect = this.#squareOf(points);
      points = this.#predict(picture, rect);
    }
    return points;
  }

  /** The upright square in which the mean shape lies best over these points. */
  #squareOf(points: Float32Array) {
    const { meanShape } = this.#model;
    const t = similarity(meanShape, points);
    const side = Math.hypot(t.a, t.d);
    const centre = [t.a * 0.5 + t.b * 0.5 + t.c, t.d * 0.5 + t.e * 0.5 + t.f] as const;
    return { x: centre[0] - side / 2, y: centre[1] - side / 2, side };
  }

  #predict(picture: Picture, rect: { x: number; y: number; side: number }): Float32Array {
    const { meanShape, stages } = this.#model;
    const shape = Float32Array.from(meanShape);
    for (const stage of stages) addForest(stage, readPixels(picture, rect, stage, meanShape, shape), shape);
    return shape.map((v, i) => (i % 2 === 0 ? rect.x : rect.y) + v * (rect.side - 1));
  }
}

/** Intensities at the stage's pixels, which move with the shape as it is so far; 0 outside the picture. */
function readPixels(
  picture: Picture,
  rect: { x: number; y: number; side: number },
  { anchors, deltas }: Stage,
  meanShape: Float32Array,
  shape: Float32Array,
): Float32Array {
  const { a, b, d, e } = similarity(meanShape, shape);
  const intensity = intensityOf(picture);
  return Float32Array.from(anchors, (anchor, i) => {
    const [dx, dy] = [deltas[2 * i]!, deltas[2 * i + 1]!];
    const u = a * dx + b * dy + shape[2 * anchor]!;
    const v = d * dx + e * dy + shape[2 * anchor + 1]!;
    return intensity(Math.floor(rect.x + u * (rect.side - 1) + 0.5), Math.floor(rect.y + v * (rect.side - 1) + 0.5));
  });
}

/** dlib's intensity of a colour pixel: the mean of red, green and blue, as an integer. */
function intensityOf({ planes, format }: Picture): (x: number, y: number) => number {
  const { width, height } = format;
  const { cbOffset, crOffset, chromaWidth } = planeLayout(width, height);
  const k = toRgb(format.colour);
  const clamp = (v: number) => Math.max(0, Math.min(255, Math.round(v)));
  return (x, y) => {
    if (x < 0 || y < 0 || x >= width || y >= height) return 0;
    const luma = (planes[y * width + x]! - k.lumaOffset) * k.lumaScale;
    const at = (y >> 1) * chromaWidth + (x >> 1);
    const [cb, cr] = [planes[cbOffset + at]! - 128, planes[crOffset + at]! - 128];
    const sum = clamp(luma + k.rCr * cr) + clamp(luma + k.gCb * cb + k.gCr * cr) + clamp(luma + k.bCb * cb);
    return Math.floor(sum / 3);
  };
}

function addForest(stage: Stage, pixels: Float32Array, shape: Float32Array): void {
  const { treeCount, splitsPerTree, first, second, threshold, leaves } = stage;
  const size = shape.length;
  for (let t = 0; t < treeCount; t++) {
    let node = 0;
    while (node < splitsPerTree) {
      const at = t * splitsPerTree + node;
      node = 2 * node + (pixels[first[at]!]! - pixels[second[at]!]! > threshold[at]! ? 1 : 2);
    }
    const leaf = (t * (splitsPerTree + 1) + node - splitsPerTree) * size;
    for (let i = 0; i < size; i++) shape[i]! += leaves[leaf + i]!;
  }
}
