import { centred, dot, type Matrix, meanRow } from '../attacks/linear-algebra.ts';

/**
 * Fréchet distance of two Gaussians fitted to feature vectors (Dowson & Landau 1982; Heusel et al. 2017):
 * |μ₁ − μ₂|² + tr(Σ₁ + Σ₂ − 2 (Σ₁Σ₂)^½). A covariance needs more samples than dimensions: with fewer it is NaN, and
 * with few more it is biased upwards, equally for methods measured on the same pictures.
 * @param real feature vectors of length d @param fake likewise
 */
export function frechetDistance(real: readonly ArrayLike<number>[], fake: readonly ArrayLike<number>[]): number {
  const d = real[0]?.length ?? 0;
  if (Math.min(real.length, fake.length) <= d) return Number.NaN;
  const [m1, m2] = [meanRow(real), meanRow(fake)];
  const [c1, c2] = [covariance(centred(real, m1)), covariance(centred(fake, m2))];
  const trace = (m: Matrix) => m.reduce((sum, row, i) => sum + row[i]!, 0);
  const shift = m1.reduce((sum, v, i) => sum + (v - m2[i]!) ** 2, 0);
  // Σ₁ = L·Lᵀ: LᵀΣ₂L is symmetric and has the eigenvalues of Σ₁Σ₂.
  const columns = transposed(choleskyFactor(c1));
  const right = columns.map((column) => Float64Array.from(c2, (row) => dot(row, column)));
  const inner = columns.map((column) => Float64Array.from(right, (r) => dot(column, r)));
  const roots = eigenvalues(inner).reduce((sum, v) => sum + Math.sqrt(Math.max(0, v)), 0);
  return Math.max(0, shift + trace(c1) + trace(c2) - 2 * roots);
}

function covariance(rows: Matrix): Float64Array[] {
  const columns = transposed(rows);
  return columns.map((a) => Float64Array.from(columns, (b) => dot(a, b) / (rows.length - 1)));
}

function transposed(rows: Matrix): Float64Array[] {
  return Array.from(rows[0]!, (_, j) => Float64Array.from(rows, (row) => row[j]!));
}

/** Lower triangular; a direction without variance gets none. */
function choleskyFactor(a: Matrix): Float64Array[] {
  const l = a.map((row) => new Float64Array(row.length));
  for (let j = 0; j < a.length; j++) {
    for (let i = j; i < a.length; i++) {
      let sum = a[i]![j]!;
      for (let k = 0; k < j; k++) sum -= l[i]![k]! * l[j]![k]!;
      if (i === j) l[j]![j] = Math.sqrt(Math.max(0, sum));
      else l[i]![j] = l[j]![j]! > 1e-12 ? sum / l[j]![j]! : 0;
    }
  }
  return l;
}

/** Of a symmetric matrix, by cyclic Jacobi rotations (Golub & Van Loan, 8.5). */
export function eigenvalues(symmetric: Matrix): number[] {
  const a = symmetric.map((row) => Float64Array.from(row));
  const n = a.length;
  const scale = a.reduce((sum, row) => sum + dot(row, row), 0);
  for (let sweep = 0; sweep < 30; sweep++) {
    let off = 0;
    for (let p = 0; p < n; p++) for (let q = p + 1; q < n; q++) off += a[p]![q]! ** 2;
    if (off <= 1e-22 * scale) break;
    for (let p = 0; p < n; p++) for (let q = p + 1; q < n; q++) rotate(a, p, q);
  }
  return a.map((row, i) => row[i]!);
}

function rotate(a: Float64Array[], p: number, q: number): void {
  const apq = a[p]![q]!;
  if (Math.abs(apq) < 1e-300) return;
  const theta = (a[q]![q]! - a[p]![p]!) / (2 * apq);
  const t = (theta >= 0 ? 1 : -1) / (Math.abs(theta) + Math.sqrt(theta * theta + 1));
  const c = 1 / Math.sqrt(t * t + 1);
  const s = t * c;
  for (const row of a) {
    const [x, y] = [row[p]!, row[q]!];
    row[p] = c * x - s * y;
    row[q] = s * x + c * y;
  }
  const [rp, rq] = [a[p]!, a[q]!];
  for (let k = 0; k < a.length; k++) {
    const [x, y] = [rp[k]!, rq[k]!];
    rp[k] = c * x - s * y;
    rq[k] = s * x + c * y;
  }
}
