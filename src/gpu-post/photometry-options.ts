import { ExitCode, UnderstudyError } from '../core/errors.ts';

export interface PhotometryOptions {
  readonly relight: boolean;
  /** Default true. */
  readonly pyramid?: boolean;
  readonly colour: boolean;
  /** Let the generated face's features stand out as much as the original's; default true. */
  readonly contrast?: boolean;
  /** Draw the face as sharp as the original and its skin as rough; default true. */
  readonly sharpness?: boolean;
  /** Draw irises, teeth and lips over the generated ones; default true. */
  readonly features?: boolean;
  /** Average the generated face over time where it rests; default true. */
  readonly steady?: boolean;
  /** Width of the low-pass that takes light from features, inter-ocular distances. */
  readonly sigmaInterocular: number;
  /** `retinex` (default): a Gaussian over skin; `bilateral`: the paper's filter. */
  readonly shading?: 'retinex' | 'bilateral';
  /** Width of the bilateral filter in luminance, [0, 1]; default 1. */
  readonly sigmaRange?: number;
  /** Lets shadings through that give the person back: for the ablation of `evaluate` only, never set by `run` or `serve`. */
  readonly allowIdentifying?: boolean;
}

export const MIN_SIGMA_INTEROCULAR = 0.24;
const MIN_BILATERAL_SIGMA_INTEROCULAR = 0.4;
const MIN_SIGMA_RANGE = 0.5;

/**
 * A narrow filter keeps the original's eyes, nose and glasses in what it calls light: the paper's literal step gives
 * 98 % of the people back.
 * @throws UnderstudyError(usage) naming the key
 */
export function refuseIdentifying(options: PhotometryOptions): void {
  if (options.allowIdentifying || !options.relight) return;
  const bilateral = options.shading === 'bilateral';
  const least = bilateral ? MIN_BILATERAL_SIGMA_INTEROCULAR : MIN_SIGMA_INTEROCULAR;
  const refuse = (key: string, value: number, minimum: number) => {
    const filter = bilateral ? 'the bilateral filter' : 'the relighting';
    throw new UnderstudyError(
      ExitCode.usage,
      `post.${key} = ${value} would let ${filter} bring the original's features back`,
      `set it to ${minimum} or more`,
    );
  };
  if (!(options.sigmaInterocular >= least)) refuse('sigmaInterocular', options.sigmaInterocular, least);
  const range = options.sigmaRange ?? 1;
  if (bilateral && !(range >= MIN_SIGMA_RANGE)) refuse('sigmaRange', range, MIN_SIGMA_RANGE);
}
