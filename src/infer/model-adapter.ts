import { existsSync, readFileSync } from 'node:fs';
import { z } from 'zod';
import { ExitCode, UnderstudyError } from '../core/errors.ts';
import { CROP_SIZE } from '../core/face-track.ts';

const AREA = CROP_SIZE * CROP_SIZE;

const input = z.discriminatedUnion('from', [
  /** The crop with the face blanked, planar RGB 128²: `value · scale + offset`, and `blank` inside the mask. */
  z.strictObject({
    from: z.literal('context'),
    scale: z.number().default(1),
    offset: z.number().default(0),
    blank: z.number().optional(),
  }),
  /** 128², `inside` where the face is to be drawn. */
  z.strictObject({ from: z.literal('mask'), inside: z.number().default(1), outside: z.number().default(0) }),
  /** Some of the 70 points, x and y in the crop's pixels: `value · scale + offset`. */
  z.strictObject({
    from: z.literal('landmarks'),
    points: z.array(z.number().int().min(0).max(69)).min(1),
    scale: z.number().default(1),
    offset: z.number().default(0),
    flat: z.boolean().default(false),
  }),
  /** Normal numbers of the identity's key; repeated when more than 64 are asked for. */
  z.strictObject({ from: z.literal('z'), shape: z.array(z.number().int().min(1)).min(1) }),
]);

const adapter = z.strictObject({
  inputs: z.record(z.string(), input),
  /** Planar RGB; `value · scale + offset` must lie in [−1, 1]. */
  output: z.strictObject({ name: z.string(), scale: z.number().default(1), offset: z.number().default(0) }),
});

/** How a model that was not made for Understudy takes its inputs: `<model>.json` beside `<model>.onnx`. */
export type ModelAdapter = z.infer<typeof adapter>;

/** What the generator has prepared for n faces. */
export interface PreparedInputs {
  readonly context: Float32Array;
  readonly mask: Float32Array;
  readonly landmarks: Float32Array;
  readonly z: Float32Array;
}

/** @returns undefined when there is none: the model follows our own contract @throws UnderstudyError(model) */
export function readAdapter(modelPath: string): ModelAdapter | undefined {
  const path = modelPath.replace(/\.onnx$/, '.json');
  if (path === modelPath || !existsSync(path)) return undefined;
  try {
    return adapter.parse(JSON.parse(readFileSync(path, 'utf8')));
  } catch (cause) {
    throw new UnderstudyError(
      ExitCode.model,
      `the description ${path} of a model is not valid: ${(cause as Error).message.replace(/\s+/g, ' ').slice(0, 200)}`,
      'see docs/evaluation.md, "Other models"',
      { cause },
    );
  }
}

/** The tensors that the described model takes, for n faces. */
export function adaptedInputs(adapter: ModelAdapter, prepared: PreparedInputs, n: number) {
  return Object.entries(adapter.inputs).map(([name, spec]): { name: string; data: Float32Array; dims: number[] } => {
    if (spec.from === 'context') {
      const data = prepared.context.map((v, i) => {
        const face = Math.floor(i / (3 * AREA));
        const hidden = prepared.mask[face * AREA + (i % AREA)] !== 0;
        return hidden && spec.blank !== undefined ? spec.blank : v * spec.scale + spec.offset;
      });
      return { name, data, dims: [n, 3, CROP_SIZE, CROP_SIZE] };
    }
    if (spec.from === 'mask') {
      const data = prepared.mask.map((v) => (v !== 0 ? spec.inside : spec.outside));
      return { name, data, dims: [n, 1, CROP_SIZE, CROP_SIZE] };
    }
    if (spec.from === 'landmarks') {
      const count = spec.points.length;
      const data = Float32Array.from({ length: n * count * 2 }, (_, i) => {
        const face = Math.floor(i / (2 * count));
        const point = spec.points[Math.floor((i % (2 * count)) / 2)]!;
        return prepared.landmarks[face * 140 + 2 * point + (i % 2)]! * spec.scale + spec.offset;
      });
      return { name, data, dims: spec.flat ? [n, 2 * count] : [n, count, 2] };
    }
    const size = spec.shape.reduce((a, b) => a * b, 1);
    const own = prepared.z.length / n;
    const data = Float32Array.from(
      { length: n * size },
      (_, i) => prepared.z[Math.floor(i / size) * own + ((i % size) % own)]!,
    );
    return { name, data, dims: [n, ...spec.shape] };
  });
}
