import { faceOutline } from '../core/face-mask.ts';
import { type Affine, CROP_SIZE } from '../core/face-track.ts';
import { mapPoints } from './canonical.ts';
import type { CanonicalFace } from './face-points.ts';

/** The cover fades over the last two pixels of the field: what reaches into them shows through. */
const MARGIN = 2.5;
const CENTRE = (CROP_SIZE - 1) / 2;
const ROOM = CENTRE - MARGIN;
/** The generator was trained to meet faces this much smaller and this far from their place, canonical pixels. */
const USUAL_SCALE = 0.92;
const USUAL_SHIFT = 4;
/** Beyond these a face is so far from what the generator knows that a solid cover looks better. */
const MIN_SCALE = 0.8;
const MAX_SHIFT = 12;

/** `p → scale · p + (x, y)`, canonical-crop pixels. */
export interface FieldFit {
  readonly scale: number;
  readonly x: number;
  readonly y: number;
}

export interface DrivenFace extends CanonicalFace {
  readonly driven: Float32Array;
  /** See `MaskedFace`. */
  readonly settled?: readonly [own: Float32Array, driven: Float32Array];
}

/**
 * Makes a face smaller and moves it within the canonical field so that all that has to be covered lies in it: with an open
 * mouth or a long chin the aligned crop ends above the chin, and what lies below would stay as it is.
 * @returns the face and what was done; undefined when it cannot be brought in
 */
export function fitIntoField(face: DrivenFace): { readonly face: DrivenFace; readonly fit: FieldFit } | undefined {
  const fit = fitOf([face.own, face.driven, face.raw]);
  if (!fit) return undefined;
  const { scale, x, y } = fit;
  if (scale === 1 && x === 0 && y === 0) return { face, fit };
  const t: Affine = { a: scale, b: 0, c: x, d: 0, e: scale, f: y };
  const moved = (points: Float32Array) => mapPoints(t, points);
  const { own, driven, raw, settled } = face;
  const points = { own: moved(own), driven: moved(driven), raw: moved(raw) };
  const resting = settled && ([moved(settled[0]), moved(settled[1])] as const);
  return { face: { toPicture: fittedCrop(face.toPicture, fit), ...points, ...(resting && { settled: resting }) }, fit };
}

/** The crop that shows in the field what `toPicture` shows, after the fit. */
export function fittedCrop({ a, b, c, d, e, f }: Affine, { scale, x, y }: FieldFit): Affine {
  return {
    ...{ a: a / scale, b: b / scale, c: c - (a * x + b * y) / scale },
    ...{ d: d / scale, e: e / scale, f: f - (d * x + e * y) / scale },
  };
}

function fitOf(shapes: readonly Float32Array[]): FieldFit | undefined {
  // An outline drops a point that is no number and looks whole without it.
  if (!shapes.every((points) => points.every(Number.isFinite))) return undefined;
  const outlines = shapes.flatMap((points) => faceOutline(points));
  const axes = [0, 1].map((axis) => {
    const values = outlines.filter((_, i) => i % 2 === axis).map((v) => v - CENTRE);
    return { low: Math.min(...values), high: Math.max(...values) };
  });
  const farthest = Math.max(...axes.map(({ low, high }) => Math.max(-low, high)));
  const longest = Math.max(...axes.map(({ low, high }) => high - low));
  const wanted = Math.max(USUAL_SCALE, (ROOM + USUAL_SHIFT) / farthest);
  const scale = Math.min(1, wanted, (2 * ROOM) / longest);
  const [sx, sy] = axes.map(({ low, high }) => {
    if (scale * high > ROOM) return ROOM - scale * high;
    return scale * low < -ROOM ? -ROOM - scale * low : 0;
  }) as [number, number];
  // What overflows fails the comparison.
  if (!(scale >= MIN_SCALE && Math.max(Math.abs(sx), Math.abs(sy)) <= MAX_SHIFT)) return undefined;
  return { scale, x: CENTRE * (1 - scale) + sx, y: CENTRE * (1 - scale) + sy };
}
