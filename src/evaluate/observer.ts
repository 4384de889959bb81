import type { Detection } from '../core/face-track.ts';
import { cropFromBox, cropFromPoints } from '../core/landmark-crop.ts';
import type { Picture } from '../core/vision.ts';
import { FaceDetector } from '../infer/detector.ts';
import { LandmarkModel } from '../infer/landmarks.ts';
import type { ModelStore } from '../infer/model-store.ts';
import type { Judges } from './judges/judges.ts';
import { judgesMark } from './judges-mark.ts';

/** Score from which the runtime's detector counts as having found a face. */
export const FOUND_SCORE = 0.6;

/** A face as the judges see it. */
export interface Face {
  readonly box: Detection;
  /** 136 numbers, picture pixels. */
  readonly points: Float32Array;
}

/** Finds faces and their points with the runtime's models, for both pictures of a pair alike. */
export class FaceObserver {
  readonly judges: Judges;
  /** Tells these judges from others, by their files. */
  readonly mark: string;
  readonly #detector: FaceDetector;
  readonly #landmarks: LandmarkModel;

  private constructor(detector: FaceDetector, landmarks: LandmarkModel, judges: Judges, mark: string) {
    this.#detector = detector;
    this.#landmarks = landmarks;
    this.judges = judges;
    this.mark = mark;
  }

  static async create(store: ModelStore, judges: Judges): Promise<FaceObserver> {
    const [detector, landmarks] = await Promise.all([FaceDetector.create(store), LandmarkModel.create(store)]);
    return new FaceObserver(detector, landmarks, judges, judgesMark(store));
  }

  /** All faces of a picture, best first. */
  async faces(picture: Picture): Promise<Face[]> {
    const { width, height } = picture.format;
    const boxes = await this.#detector.detect(picture, { x: 0, y: 0, width, height, quarterTurns: 0 }, FOUND_SCORE);
    const faces: Face[] = [];
    for (const box of boxes) faces.push({ box, points: await this.pointsOf(picture, box) });
    return faces;
  }

  /** Two passes, as the runtime does when it meets a face. */
  async pointsOf(picture: Picture, box: Detection): Promise<Float32Array> {
    const first = await this.#landmarks.find(picture, cropFromBox(box));
    return this.#landmarks.find(picture, cropFromPoints(first));
  }
}

/** The face of `candidates` that is where `face` was: centres nearer than half its width, similar size. */
export function faceAt(face: Face, candidates: readonly Face[]): Face | undefined {
  const { x, y, width, height } = face.box;
  let best: Face | undefined;
  let nearest = Number.POSITIVE_INFINITY;
  for (const c of candidates) {
    const distance = Math.hypot(c.box.x + c.box.width / 2 - x - width / 2, c.box.y + c.box.height / 2 - y - height / 2);
    const ratio = c.box.height / height;
    if (distance < width / 2 && ratio > 0.5 && ratio < 2 && distance < nearest) {
      best = c;
      nearest = distance;
    }
  }
  return best;
}
