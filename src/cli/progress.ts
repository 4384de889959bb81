import type { StreamProgress, StreamResult } from '../pipeline/stream.ts';

const EVERY_MS = 500;

/** Percent, speed and what happened to the faces: a line on a terminal, JSON lines on request, silence otherwise. */
export class ProgressLine {
  readonly #style: 'line' | 'json' | 'none';
  readonly #total: number | undefined;
  readonly #startedMs = performance.now();
  #lastMs = 0;

  constructor(style: string | undefined, total: number | undefined) {
    this.#style =
      style === 'json' || style === 'none' ? style : process.stderr.isTTY || style === 'line' ? 'line' : 'none';
    this.#total = total;
  }

  frame(progress: StreamProgress): void {
    const now = performance.now();
    if (this.#style === 'none' || now - this.#lastMs < EVERY_MS) return;
    this.#lastMs = now;
    this.#write(progress.frames, progress.audit.totals, '\r');
  }

  end(result: StreamResult): void {
    if (this.#style !== 'none') this.#write(result.audit.totals.frames, result.audit.totals, '\n');
  }

  #write(frames: number, totals: StreamProgress['audit']['totals'], end: string): void {
    const seconds = (performance.now() - this.#startedMs) / 1000;
    const fps = frames / Math.max(seconds, 1e-3);
    const percent = this.#total ? Math.min(100, (100 * frames) / this.#total) : undefined;
    const etaS = this.#total ? Math.max(0, (this.#total - frames) / Math.max(fps, 1e-3)) : undefined;
    const { faces, held, solid, veiledFrames } = totals;
    if (this.#style === 'json') {
      process.stderr.write(
        `${JSON.stringify({ frames, percent, fps, etaS, faces, held, solid, veiled: veiledFrames })}\n`,
      );
      return;
    }
    const share = percent === undefined ? `${frames} frames` : `${percent.toFixed(0).padStart(3)} %`;
    const left = etaS === undefined ? '' : `, ${Math.ceil(etaS)} s left`;
    process.stderr.write(
      `${share}  ${fps.toFixed(1)} fps${left}  faces ${faces}, held ${held}, solid ${solid}, veiled ${veiledFrames}   ${end}`,
    );
  }
}
