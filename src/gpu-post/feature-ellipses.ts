/** Regions of a face in canonical pixels that say who it is: centre x, y and radii x, y. */
export interface FeatureRegions {
  readonly leftEye: readonly number[];
  readonly rightEye: readonly number[];
  readonly mouth: readonly number[];
  /** Upper edge of the skin that statistics are taken from: the lower of the two brow lines. */
  readonly browY: number;
}

const LEFT_EYE = [17, 18, 19, 20, 21, 36, 37, 38, 39, 40, 41];
const RIGHT_EYE = [22, 23, 24, 25, 26, 42, 43, 44, 45, 46, 47];
const MOUTH = [48, 49, 50, 51, 52, 53, 54, 55, 56, 57, 58, 59];

/** Ellipses over eye with brow, twice, and mouth, around the points of both faces (140 numbers each). */
export function featureRegions(own: Float32Array, driven: Float32Array): FeatureRegions {
  return {
    leftEye: ellipse(LEFT_EYE, [own, driven]),
    rightEye: ellipse(RIGHT_EYE, [own, driven]),
    mouth: ellipse(MOUTH, [own, driven]),
    browY: Math.max(meanY(own, 17, 27), meanY(driven, 17, 27)),
  };
}

export function eyeDistance(points: Float32Array): number {
  const x = meanX(points, 42, 48) - meanX(points, 36, 42);
  const y = meanY(points, 42, 48) - meanY(points, 36, 42);
  return Math.hypot(x, y);
}

function meanX(points: Float32Array, from: number, to: number): number {
  let sum = 0;
  for (let i = from; i < to; i++) sum += points[2 * i]!;
  return sum / (to - from);
}

function meanY(points: Float32Array, from: number, to: number): number {
  let sum = 0;
  for (let i = from; i < to; i++) sum += points[2 * i + 1]!;
  return sum / (to - from);
}

function ellipse(group: readonly number[], faces: readonly Float32Array[]): number[] {
  let [x0, y0, x1, y1] = [1e9, 1e9, -1e9, -1e9];
  for (const points of faces) {
    for (const i of group) {
      x0 = Math.min(x0, points[2 * i]!);
      x1 = Math.max(x1, points[2 * i]!);
      y0 = Math.min(y0, points[2 * i + 1]!);
      y1 = Math.max(y1, points[2 * i + 1]!);
    }
  }
  return [(x0 + x1) / 2, (y0 + y1) / 2, (x1 - x0) * 0.62 + 2, (y1 - y0) * 0.62 + 3];
}
