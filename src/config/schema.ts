import { z } from 'zod';
import { liveSchema, serveSchema } from './live-schema.ts';

const share = z.number().min(0).max(1);

/** Every setting, strict: an unknown key is an error. configs/default.yaml documents each one. */
export const configSchema = z.strictObject({
  mode: z.enum(['generate', 'blur', 'pixelate', 'mask', 'noise']).default('generate'),
  sessionKey: z
    .union([z.literal(''), z.string().regex(/^[0-9a-fA-F]{32,}$/, 'at least 32 hexadecimal digits')])
    .default(''),
  ingest: z.strictObject({ damageLookback: z.number().int().min(0).max(300).default(32) }).prefault({}),
  detect: z
    .strictObject({
      minScore: share.default(0.3),
      followScore: share.default(0.3),
      trustedScore: share.default(0.75),
      tileBudget: z.number().int().min(0).max(64).default(1),
    })
    .prefault({}),
  track: z
    .strictObject({
      lookaheadFrames: z.number().int().min(0).max(120).default(12),
      holdFrames: z.number().int().min(0).max(120).default(6),
      solidFrames: z.number().int().min(0).max(600).default(24),
    })
    .prefault({}),
  infer: z
    .strictObject({
      executionProviders: z.union([z.literal('auto'), z.array(z.string()).min(1)]).default('auto'),
      precision: z.enum(['auto', 'int8', 'fp32']).default('auto'),
      detail: z.boolean().default(true),
      detectorThreads: z.union([z.literal('auto'), z.number().int().min(1).max(16)]).default('auto'),
      maxBatchSize: z.number().int().min(1).max(32).default(4),
      maxQueueDelayMs: z.number().min(0).max(100).default(2),
      truncation: z.number().min(0.5).max(1).default(1),
    })
    .prefault({}),
  post: z
    .strictObject({
      relight: z.boolean().default(true),
      pyramid: z.boolean().default(true),
      steady: z.boolean().default(true),
      colour: z.boolean().default(true),
      contrast: z.boolean().default(true),
      sharpness: z.boolean().default(true),
      features: z.boolean().default(true),
      sigmaInterocular: z.number().min(0.24).max(2).default(0.24),
      shading: z.enum(['retinex', 'bilateral']).default('retinex'),
      sigmaRange: z.number().min(0.5).max(4).default(1),
    })
    .prefault({}),
  egress: z
    .strictObject({
      codec: z.enum(['auto', 'h264', 'h265', 'vp9']).default('auto'),
      crf: z.number().min(0).max(63).default(20),
      preset: z.string().default('veryfast'),
      hardware: z.enum(['none', 'nvenc', 'qsv', 'vaapi', 'videotoolbox']).default('none'),
      audio: z.enum(['keep', 'drop']).default('keep'),
    })
    .prefault({}),
  live: liveSchema.prefault({}),
  serve: serveSchema.prefault({}),
  ffmpeg: z.strictObject({ path: z.string().default('') }).prefault({}),
  models: z.strictObject({ dir: z.string().default(''), cacheDir: z.string().default('') }).prefault({}),
});

export type Config = z.infer<typeof configSchema>;
