export const STAGES = ['decode', 'detect', 'landmarks', 'generate', 'post', 'encode'] as const;
export type Stage = (typeof STAGES)[number];

const RESERVOIR = 4096;

/** Milliseconds a frame spends in each stage. Keeps a bounded uniform sample, so that a two-hour film costs no memory. */
export class StageTimings {
  readonly #samples = new Map<Stage, { values: Float64Array; seen: number }>();
  readonly #onStage: ((stage: Stage, ms: number) => void) | undefined;

  constructor(onStage?: (stage: Stage, ms: number) => void) {
    this.#onStage = onStage;
  }

  add(stage: Stage, ms: number): void {
    this.#onStage?.(stage, ms);
    let entry = this.#samples.get(stage);
    if (!entry) {
      entry = { values: new Float64Array(RESERVOIR), seen: 0 };
      this.#samples.set(stage, entry);
    }
    const at = entry.seen < RESERVOIR ? entry.seen : Math.floor(Math.random() * (entry.seen + 1));
    if (at < RESERVOIR) entry.values[at] = ms;
    entry.seen++;
  }

  summary(): Record<Stage, { p50Ms: number; p95Ms: number }> {
    const quantile = (stage: Stage, q: number) => {
      const entry = this.#samples.get(stage);
      if (!entry) return 0;
      const sorted = entry.values.slice(0, Math.min(entry.seen, RESERVOIR)).sort();
      return Math.round(sorted[Math.min(sorted.length - 1, Math.floor(q * sorted.length))]! * 100) / 100;
    };
    return Object.fromEntries(
      STAGES.map((stage) => [stage, { p50Ms: quantile(stage, 0.5), p95Ms: quantile(stage, 0.95) }]),
    ) as Record<Stage, { p50Ms: number; p95Ms: number }>;
  }
}
