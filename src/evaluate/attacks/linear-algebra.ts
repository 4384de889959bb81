/** Rows of equal length. */
export type Matrix = readonly Float64Array[];

export function meanRow(rows: readonly ArrayLike<number>[]): Float64Array {
  const out = new Float64Array(rows[0]!.length);
  for (const row of rows) for (let i = 0; i < out.length; i++) out[i]! += row[i]! / rows.length;
  return out;
}

export function centred(rows: readonly ArrayLike<number>[], mean: Float64Array): Float64Array[] {
  return rows.map((row) => Float64Array.from(mean, (m, i) => row[i]! - m));
}

export function dot(a: Float64Array, b: Float64Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i]! * b[i]!;
  return sum;
}

/** Inner products of all rows of `a` with all rows of `b`. */
export function gram(a: Matrix, b: Matrix): Float64Array[] {
  return a.map((x) => Float64Array.from(b, (y) => dot(x, y)));
}

/** Solves A·X = B for a symmetric positive definite A (Cholesky). */
export function solveSymmetric(a: Matrix, b: Matrix): Float64Array[] {
  const n = a.length;
  const l = a.map((row) => Float64Array.from(row));
  for (let j = 0; j < n; j++) {
    for (let k = 0; k < j; k++) l[j]![j]! -= l[j]![k]! ** 2;
    l[j]![j] = Math.sqrt(Math.max(1e-12, l[j]![j]!));
    for (let i = j + 1; i < n; i++) {
      for (let k = 0; k < j; k++) l[i]![j]! -= l[i]![k]! * l[j]![k]!;
      l[i]![j]! /= l[j]![j]!;
    }
  }
  const x = b.map((row) => Float64Array.from(row));
  for (let i = 0; i < n; i++) {
    for (let k = 0; k < i; k++) subtract(x[i]!, x[k]!, l[i]![k]!);
    scale(x[i]!, 1 / l[i]![i]!);
  }
  for (let i = n - 1; i >= 0; i--) {
    for (let k = i + 1; k < n; k++) subtract(x[i]!, x[k]!, l[k]![i]!);
    scale(x[i]!, 1 / l[i]![i]!);
  }
  return x;
}

function subtract(a: Float64Array, b: Float64Array, factor: number): void {
  for (let i = 0; i < a.length; i++) a[i]! -= factor * b[i]!;
}

function scale(a: Float64Array, factor: number): void {
  for (let i = 0; i < a.length; i++) a[i]! *= factor;
}

/** Leading eigenvectors of the covariance of centred rows by orthogonal iteration, with their variances. */
export function principalAxes(rows: Matrix, count: number): { axes: Float64Array[]; variances: number[] } {
  const kernel = gram(rows, rows);
  const n = rows.length;
  const k = Math.min(count, n - 1);
  let vectors = Array.from({ length: k }, (_, j) =>
    Float64Array.from(
      { length: n },
      (_, i) => Math.cos((j + 1) * (i + 0.5) * (Math.PI / n)) + 1e-3 * ((i * 7 + j) % 11),
    ),
  );
  for (let round = 0; round < 60; round++) {
    vectors = vectors.map((v) => Float64Array.from(kernel, (row) => dot(row, v)));
    for (let j = 0; j < k; j++) {
      for (let i = 0; i < j; i++) subtract(vectors[j]!, vectors[i]!, dot(vectors[j]!, vectors[i]!));
      scale(vectors[j]!, 1 / Math.max(1e-30, Math.sqrt(dot(vectors[j]!, vectors[j]!))));
    }
  }
  const axes = vectors.map((v) => {
    const axis = new Float64Array(rows[0]!.length);
    rows.forEach((row, i) => {
      subtract(axis, row, -v[i]!);
    });
    scale(axis, 1 / Math.max(1e-30, Math.sqrt(dot(axis, axis))));
    return axis;
  });
  const variances = axes.map((axis) => rows.reduce((sum, row) => sum + dot(row, axis) ** 2, 0) / n);
  return { axes, variances };
}
