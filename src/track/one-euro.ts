import type { SmoothingOptions } from './options.ts';

/** Marks a point that was not found. */
const UNKNOWN = -1000;

/** Share of the new value that a low-pass at `cutoffHz` takes after `dt` seconds. */
function share(cutoffHz: number, dt: number): number {
  const tau = 1 / (2 * Math.PI * cutoffHz);
  return dt / (dt + tau);
}

/**
 * One-Euro filter (Casiez et al., CHI 2012) over points, with one speed per point: a lip may move while the jaw is still.
 * All values are in canonical-crop pixels, so that the parameters hold for faces of every size.
 */
export class PointSmoother {
  readonly #options: SmoothingOptions;
  readonly #speeds: Float32Array;
  readonly #count: number;

  constructor(count: number, options: SmoothingOptions) {
    this.#count = count;
    this.#options = options;
    this.#speeds = new Float32Array(2 * count);
  }

  /**
   * Moves `smooth` (x y pairs) towards `found`, both in the same crop, in place.
   * @param dt seconds since the last call: frames may be unevenly spaced
   */
  step(smooth: Float32Array, found: Float32Array, dt: number): void {
    const { minCutoffHz, beta, speedCutoffHz } = this.#options;
    const seconds = Math.max(dt, 1e-4);
    const speedShare = share(speedCutoffHz, seconds);
    for (let i = 0; i < this.#count; i++) {
      if (found[2 * i]! <= UNKNOWN || smooth[2 * i]! <= UNKNOWN) {
        this.#take(i, smooth, found);
        continue;
      }
      const dx = found[2 * i]! - smooth[2 * i]!;
      const dy = found[2 * i + 1]! - smooth[2 * i + 1]!;
      const vx = this.#speeds[2 * i]! + speedShare * (dx / seconds - this.#speeds[2 * i]!);
      const vy = this.#speeds[2 * i + 1]! + speedShare * (dy / seconds - this.#speeds[2 * i + 1]!);
      this.#speeds[2 * i] = vx;
      this.#speeds[2 * i + 1] = vy;
      const alpha = share(minCutoffHz + beta * Math.hypot(vx, vy), seconds);
      smooth[2 * i] = smooth[2 * i]! + alpha * dx;
      smooth[2 * i + 1] = smooth[2 * i + 1]! + alpha * dy;
    }
  }

  reset(): void {
    this.#speeds.fill(0);
  }

  /** A point that vanishes or comes back (a pupil behind its lid) has no history. */
  #take(i: number, smooth: Float32Array, found: Float32Array): void {
    for (const k of [2 * i, 2 * i + 1]) {
      smooth[k] = found[k]!;
      this.#speeds[k] = 0;
    }
  }
}
