import { createHash } from 'node:crypto';
import { existsSync, statSync } from 'node:fs';
import type { ModelStore } from '../infer/model-store.ts';
import { DLIB_POINTS_PATH } from './judges/dlib-points.ts';

/** To be raised when the same judges are asked something else, or what is kept of a face changes. */
const VERSION = 1;
/** What `FaceObserver` and judge A find and recognize with. */
const OWN = ['face-detector', 'face-landmarks', 'face-recognizer'];

/**
 * A hash over all networks that judge and over what is made of their answers: what was measured with others is measured
 * again. dlib's points, which are no model of ours, count by size and time.
 */
export function judgesMark(store: ModelStore): string {
  const points = existsSync(DLIB_POINTS_PATH) ? statSync(DLIB_POINTS_PATH) : undefined;
  const known = { VERSION, ...store.hashes([...OWN, ...store.present('evaluate')]) };
  return createHash('sha256')
    .update(JSON.stringify([known, points?.size, points && Math.round(points.mtimeMs)]))
    .digest('hex')
    .slice(0, 16);
}
