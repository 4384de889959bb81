import munkres from 'munkres-js';
import type { Region } from '../core/face-track.ts';
import { centreX, centreY, intersectionOverUnion } from './geometry.ts';

/** Centre distance, in sizes of the larger box, beyond which two boxes are not the same face without overlap. */
const MAX_DISTANCE = 0.8;
const MAX_SIZE_RATIO = 2.2;
const FORBIDDEN = 1e3;

/** What a pairing of a predicted box with a detection costs in [0, 1]; Infinity when the gate is shut. */
export function pairCost(predicted: Region, found: Region): number {
  const overlap = intersectionOverUnion(predicted, found);
  const size = Math.max(predicted.width, predicted.height, found.width, found.height);
  const distance = Math.hypot(centreX(predicted) - centreX(found), centreY(predicted) - centreY(found)) / size;
  const ratio = Math.sqrt((predicted.width * predicted.height) / (found.width * found.height));
  if (overlap < 0.1 && distance > MAX_DISTANCE) return Infinity;
  if (ratio > MAX_SIZE_RATIO || ratio < 1 / MAX_SIZE_RATIO) return Infinity;
  return 0.6 * (1 - overlap) + 0.4 * Math.min(1, distance);
}

export interface Association {
  /** Pairs [index of the prediction, index of the detection]. */
  readonly pairs: readonly (readonly [number, number])[];
  readonly missed: readonly number[];
  readonly fresh: readonly number[];
}

/** Optimal assignment of detections to predicted boxes, over all of them at once. */
export function associate(predicted: readonly Region[], found: readonly Region[]): Association {
  const missed = new Set(predicted.keys());
  const fresh = new Set(found.keys());
  const pairs: [number, number][] = [];
  if (predicted.length > 0 && found.length > 0) {
    const costs = predicted.map((p) => found.map((f) => Math.min(pairCost(p, f), FORBIDDEN)));
    for (const [row, column] of munkres(costs)) {
      if (costs[row]![column]! >= FORBIDDEN) continue;
      pairs.push([row, column]);
      missed.delete(row);
      fresh.delete(column);
    }
  }
  return { pairs, missed: [...missed], fresh: [...fresh] };
}
