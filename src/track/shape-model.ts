import { readFileSync } from 'node:fs';
import { ExitCode, UnderstudyError } from '../core/errors.ts';

/** `models/shape/shape-68.json`: principal components of 68-point shapes in canonical-crop pixels. */
export interface ShapeFile {
  readonly landmarks: number;
  readonly mean: readonly number[];
  readonly components: readonly (readonly number[])[];
  readonly sigma: readonly number[];
  readonly residualSigma: number;
  /** Largest root-mean-square distance to the model's space, canonical pixels, of a plausible face. */
  readonly residualLimit: number;
  /** Largest Mahalanobis distance within it. */
  readonly mahalanobisLimit: number;
}

export interface Plausibility {
  readonly residual: number;
  readonly mahalanobis: number;
}

const NUMBERS = 136;

/** What shapes faces have. Judges found points, and draws faces that do not exist. */
export class ShapeModel {
  readonly mean: Float32Array;
  readonly sigma: Float32Array;
  readonly residualLimit: number;
  readonly mahalanobisLimit: number;
  readonly #components: Float32Array;

  /** @throws Error when the numbers do not fit together: the file is damaged or of another version. */
  constructor(file: ShapeFile) {
    const components = Float32Array.from(file.components.flat());
    if (file.mean.length !== NUMBERS || components.length !== file.sigma.length * NUMBERS) {
      throw new Error(`the shape model has ${file.mean.length} mean and ${components.length} component values`);
    }
    this.mean = Float32Array.from(file.mean);
    this.sigma = Float32Array.from(file.sigma);
    this.#components = components;
    this.residualLimit = file.residualLimit;
    this.mahalanobisLimit = file.mahalanobisLimit;
  }

  /** @param points 136 numbers, canonical-crop pixels */
  judge(points: Float32Array): Plausibility {
    let energy = 0;
    for (let i = 0; i < NUMBERS; i++) energy += (points[i]! - this.mean[i]!) ** 2;
    let explained = 0;
    let mahalanobis = 0;
    for (let k = 0; k < this.sigma.length; k++) {
      let b = 0;
      for (let i = 0; i < NUMBERS; i++) b += this.#components[k * NUMBERS + i]! * (points[i]! - this.mean[i]!);
      explained += b * b;
      mahalanobis += (b / this.sigma[k]!) ** 2;
    }
    return {
      residual: Math.sqrt(Math.max(0, energy - explained) / (NUMBERS / 2)),
      mahalanobis: Math.sqrt(mahalanobis),
    };
  }

  /** @param slack above 1 for a face that has been trusted so far: no flicker at the limit */
  plausible(points: Float32Array, slack = 1): boolean {
    const { residual, mahalanobis } = this.judge(points);
    return residual <= slack * this.residualLimit && mahalanobis <= slack * this.mahalanobisLimit;
  }

  /** Mean + Σ sigma_k · normals_k · component_k; normals beyond ±2 are cut, so that no caricature is drawn. */
  shape(normals: ArrayLike<number>): Float32Array {
    const points = Float32Array.from(this.mean);
    for (let k = 0; k < this.sigma.length; k++) {
      const b = this.sigma[k]! * Math.max(-2, Math.min(2, normals[k] ?? 0));
      for (let i = 0; i < NUMBERS; i++) points[i] = points[i]! + b * this.#components[k * NUMBERS + i]!;
    }
    return points;
  }
}

/** @throws UnderstudyError (model) when the file cannot be read or is not a shape model */
export function loadShapeModel(path: string): ShapeModel {
  try {
    return new ShapeModel(JSON.parse(readFileSync(path, 'utf8')) as ShapeFile);
  } catch (cause) {
    const message = `the shape model ${path} cannot be used: ${(cause as Error).message}`;
    throw new UnderstudyError(ExitCode.model, message, 'run scripts/setup.sh to restore it', { cause });
  }
}
