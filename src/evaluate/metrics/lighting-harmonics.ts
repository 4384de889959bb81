import { luma } from './albedo.ts';
import { siMse } from './si-mse.ts';

const TERMS = 9;

/**
 * Scale-invariant L2 distance of shadings (paper, formula 4). SfSNet's weights aren't to be had, and our own relighting
 * would grade itself; so the shading is what second-order spherical harmonics (Ramamoorthi & Hanrahan 2001) explain of
 * the luma on the normals of an ellipsoid laid over the face: the light's direction and strength, nothing of the features.
 * @param original interleaved RGB in [0, 1] of the size² crop @param mask one byte a pixel
 * @returns mean over the mask of (S − α·Ŝ)² with the best α; NaN when the mask is too small
 */
export function siL2(original: Float32Array, anonymized: Float32Array, mask: Uint8Array, size: number): number {
  const basis = harmonics(mask, size);
  if (!basis) return Number.NaN;
  const [a, b] = [harmonicShading(luma(original), mask, basis), harmonicShading(luma(anonymized), mask, basis)];
  return a && b ? siMse(a, b, mask, 1) : Number.NaN;
}

/** Nine basis values a masked pixel, from the normals of the ellipsoid that fills the mask's bounding box. */
function harmonics(mask: Uint8Array, size: number): Float32Array | undefined {
  let [left, right, top, bottom] = [size, -1, size, -1];
  for (let p = 0; p < mask.length; p++) {
    if (!mask[p]) continue;
    const [x, y] = [p % size, Math.floor(p / size)];
    left = Math.min(left, x);
    right = Math.max(right, x);
    top = Math.min(top, y);
    bottom = Math.max(bottom, y);
  }
  if (right - left < 8 || bottom - top < 8) return undefined;
  const basis = new Float32Array(mask.length * TERMS);
  for (let p = 0; p < mask.length; p++) {
    // Slightly larger than the box: at a silhouette the normal of a face is not yet perpendicular to the view.
    const x = (2 * (p % size) - left - right) / (1.15 * (right - left));
    const y = (2 * Math.floor(p / size) - top - bottom) / (1.15 * (bottom - top));
    const z = Math.sqrt(Math.max(0.05, 1 - x * x - y * y));
    const n = Math.hypot(x, y, z);
    const [nx, ny, nz] = [x / n, y / n, z / n];
    basis.set([1, nx, ny, nz, nx * ny, nx * nz, ny * nz, nx * nx - ny * ny, 3 * nz * nz - 1], p * TERMS);
  }
  return basis;
}

function harmonicShading(values: Float32Array, mask: Uint8Array, basis: Float32Array): Float32Array | undefined {
  const rows = Array.from({ length: TERMS }, () => new Float64Array(TERMS + 1));
  for (let p = 0; p < mask.length; p++) {
    if (!mask[p]) continue;
    for (let i = 0; i < TERMS; i++) {
      const b = basis[p * TERMS + i]!;
      for (let j = 0; j < TERMS; j++) rows[i]![j]! += b * basis[p * TERMS + j]!;
      rows[i]![TERMS]! += b * values[p]!;
    }
  }
  for (let i = 0; i < TERMS; i++) rows[i]![i]! += 1e-3;
  const light = solve(rows);
  if (!light) return undefined;
  const shading = new Float32Array(mask.length);
  for (let p = 0; p < mask.length; p++) {
    if (!mask[p]) continue;
    for (let i = 0; i < TERMS; i++) shading[p]! += basis[p * TERMS + i]! * light[i]!;
  }
  return shading;
}

/** Gaussian elimination with pivots on an augmented matrix. */
function solve(rows: Float64Array[]): Float64Array | undefined {
  const n = rows.length;
  for (let c = 0; c < n; c++) {
    let pivot = c;
    for (let r = c + 1; r < n; r++) if (Math.abs(rows[r]![c]!) > Math.abs(rows[pivot]![c]!)) pivot = r;
    if (Math.abs(rows[pivot]![c]!) < 1e-9) return undefined;
    [rows[c], rows[pivot]] = [rows[pivot]!, rows[c]!];
    for (let r = 0; r < n; r++) {
      if (r === c) continue;
      const f = rows[r]![c]! / rows[c]![c]!;
      for (let k = c; k <= n; k++) rows[r]![k]! -= f * rows[c]![k]!;
    }
  }
  return Float64Array.from(rows, (row, i) => row[n]! / row[i]!);
}
