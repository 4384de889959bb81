import type { Affine } from '../../src/core/face-track.ts';
import { Scratch } from '../../src/core/simd/scratch.ts';
import { PlaneSampler } from '../../src/infer/plane-sampling.ts';

interface Plane {
  readonly samples: Uint8Array;
  readonly width: number;
  readonly height: number;
}

/** One plane, wherever it lies, sampled into size.width · size.height values. */
export function samplePlane(
  { samples, width, height }: Plane,
  s: Affine,
  size: { readonly width: number; readonly height: number },
): Float32Array {
  const scratch = new Scratch();
  const [address, to] = [scratch.take(width * height), scratch.take(4 * size.width * size.height)];
  new Uint8Array(scratch.buffer, address, width * height).set(samples);
  new PlaneSampler(size.width, size.height).sample(scratch, { address, width, height }, s, to);
  return new Float32Array(scratch.buffer, to, size.width * size.height);
}
