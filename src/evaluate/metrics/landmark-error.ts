const FIRST_INNER_POINT = 17;
const POINTS = 68;

/** Distance between the eye centres (means of points 36–41 and 42–47) of 68 iBUG points, in their unit. */
export function interOcular(points: Float32Array): number {
  const [lx, ly] = centre(points, 36, 42);
  const [rx, ry] = centre(points, 42, 48);
  return Math.hypot(rx - lx, ry - ly);
}

/**
 * Pose error (paper III-C1, "normalized L1 distance"): mean over the 68 points of (|Δx| + |Δy|) / 2, divided by the
 * original's inter-ocular distance (between eye centres, the stricter of the two usual conventions).
 * @param original 136 numbers x y @param anonymized 136 numbers, same unit
 * @returns a ratio; NaN when the original's eyes coincide
 */
export function poseError(original: Float32Array, anonymized: Float32Array): number {
  return normalisedL1(original, anonymized, 0);
}

/** Expression error (paper III-D): the same over the 51 inner points (brows, nose, eyes, mouth; no contour). */
export function expressionError(original: Float32Array, anonymized: Float32Array): number {
  return normalisedL1(original, anonymized, FIRST_INNER_POINT);
}

function normalisedL1(a: Float32Array, b: Float32Array, first: number): number {
  let sum = 0;
  for (let i = first * 2; i < POINTS * 2; i++) sum += Math.abs(a[i]! - b[i]!);
  const scale = interOcular(a);
  return scale > 0 ? sum / 2 / (POINTS - first) / scale : Number.NaN;
}

function centre(points: Float32Array, from: number, to: number): [number, number] {
  let x = 0;
  let y = 0;
  for (let i = from; i < to; i++) {
    x += points[i * 2]!;
    y += points[i * 2 + 1]!;
  }
  return [x / (to - from), y / (to - from)];
}
