import type { Region, TrackedFace } from '../core/face-track.ts';
import { interOcular } from './canonical.ts';
import { area, around, centreX, centreY } from './geometry.ts';

/** The detector's box ends at the hairline, the ears and the chin; the solid cover goes beyond all of them. */
export const BOX_MARGIN = 1.35;
/** The forehead above the brows, in lengths from chin to brows, and a margin in inter-ocular distances. */
const FOREHEAD = 0.55;
const POINTS_MARGIN = 0.25;

export interface CoverArea {
  /** Width and height along the turned axes, about the centre. */
  readonly region: Region;
  /** Radians in [−π/4, π/4], clockwise as seen. */
  readonly roll: number;
}

/**
 * What has to be hidden: the detector's box with a margin and, where points are known, all of them with the forehead.
 * @param growth factor above 1 for a face whose place is a guess
 */
export function coverArea(box: Region, angle: number, points?: Float32Array, growth = 1): CoverArea {
  // A rectangle turned by a quarter is a rectangle: only the rest needs a turned cover.
  const quarter = Math.round(angle / (Math.PI / 2));
  const roll = points ? angle - (quarter * Math.PI) / 2 : 0;
  const cos = Math.cos(roll);
  const sin = Math.sin(roll);
  const cx = centreX(box);
  const cy = centreY(box);
  let left = (-BOX_MARGIN * box.width) / 2;
  let right = -left;
  let top = (-BOX_MARGIN * box.height) / 2;
  let bottom = -top;
  const include = (x: number, y: number, margin: number) => {
    const u = (x - cx) * cos + (y - cy) * sin;
    const v = (y - cy) * cos - (x - cx) * sin;
    left = Math.min(left, u - margin);
    right = Math.max(right, u + margin);
    top = Math.min(top, v - margin);
    bottom = Math.max(bottom, v + margin);
  };
  if (points) {
    const margin = POINTS_MARGIN * interOcular(points);
    for (let i = 0; i < 68; i++) include(points[2 * i]!, points[2 * i + 1]!, margin);
    const upX = FOREHEAD * ((points[38]! + points[48]!) / 2 - points[16]!);
    const upY = FOREHEAD * ((points[39]! + points[49]!) / 2 - points[17]!);
    for (let i = 17; i < 27; i++) include(points[2 * i]! + upX, points[2 * i + 1]! + upY, margin);
  }
  const u = (left + right) / 2;
  const v = (top + bottom) / 2;
  const region = around(
    cx + u * cos - v * sin,
    cy + u * sin + v * cos,
    growth * (right - left),
    growth * (bottom - top),
  );
  return { region, roll };
}

/** Of a drawn face's region: what is smaller and lies in it may be somebody else, beside the chin or over the ear. */
const SAME_SIZE = 0.4;

/** Whether a face's cover hides what lies in its region: a drawn face is painted within its own outline only, so that it must be that very face. */
export function mayHide(face: Pick<TrackedFace, 'cover' | 'region'>, region: Region): boolean {
  return face.cover === 'solid' || area(region) >= SAME_SIZE * area(face.region);
}
