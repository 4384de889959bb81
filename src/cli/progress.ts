import type { StreamProgress, StreamResult } from '../pipeline/stream-options.ts';

const EVERY_MS = 500;
const STYLES = ['line', 'json', 'none'] as const;
export type ProgressStyle = (typeof STYLES)[number];

export const isProgressStyle = (text: string): text is ProgressStyle => (STYLES as readonly string[]).includes(text);

/** Percent, speed and what happened to the faces: a line on a terminal, JSON lines on request, silence otherwise. */
export class ProgressLine {
  readonly #style: ProgressStyle;
  readonly #label: string | undefined;
  /** What the terminal's line holds; files that are under way together share it. */
  readonly #shown: { width: number };
  #total: number | undefined;
  #startedMs = performance.now();
  #lastMs = 0;

  constructor(style?: ProgressStyle, label?: string, shown = { width: 0 }) {
    this.#style = style ?? (process.stderr.isTTY ? 'line' : 'none');
    this.#label = label;
    this.#shown = shown;
  }

  /** The same for one of several files, which may be under way together. */
  ofFile(label: string): ProgressLine {
    return new ProgressLine(this.#style, label, this.#shown);
  }

  /** @param total expected frames, when they are known */
  start(total: number | undefined): void {
    this.#total = total;
    this.#startedMs = performance.now();
    this.#lastMs = 0;
  }

  frame(progress: StreamProgress): void {
    const now = performance.now();
    if (this.#style === 'none' || now - this.#lastMs < EVERY_MS) return;
    this.#lastMs = now;
    this.#write(progress.frames, progress.audit.totals);
  }

  end(result: StreamResult): void {
    const { audit, early } = result;
    if (this.#style !== 'none') this.#write(audit.totals.frames, audit.totals, early ? 'stopped' : 'whole');
  }

  #write(frames: number, totals: StreamProgress['audit']['totals'], ended?: 'whole' | 'stopped'): void {
    const seconds = (performance.now() - this.#startedMs) / 1000;
    const fps = frames / Math.max(seconds, 1e-3);
    const done = ended !== undefined;
    // The total is often a guess; what has been read to its end is whole.
    const percent = ended === 'whole' ? 100 : this.#total ? Math.min(100, (100 * frames) / this.#total) : undefined;
    const etaS = done ? 0 : this.#total ? Math.max(0, (this.#total - frames) / Math.max(fps, 1e-3)) : undefined;
    const { faces, held, solid, veiledFrames } = totals;
    if (this.#style === 'json') {
      const file = this.#label === undefined ? {} : { file: this.#label };
      const line = { ...file, frames, percent, fps, etaS, faces, held, solid, veiled: veiledFrames, done };
      process.stderr.write(`${JSON.stringify(line)}\n`);
      return;
    }
    const file = this.#label === undefined ? '' : `${this.#label}  `;
    const share = percent === undefined ? `${frames} frames` : `${percent.toFixed(0).padStart(3)} %`;
    const left = etaS === undefined || done ? '' : `, ${Math.ceil(etaS)} s left`;
    const counts = `faces ${faces}, held ${held}, solid ${solid}, veiled ${veiledFrames}`;
    const text = `${file}${share}  ${fps.toFixed(1)} fps${left}  ${counts}`;
    // A shorter line has to cover all of the longer one before it.
    process.stderr.write(`${text.padEnd(this.#shown.width)}${done ? '\n' : '\r'}`);
    this.#shown.width = done ? 0 : text.length;
  }
}
