import type { Scores } from '../score.ts';
import { judgedBy, likeThePaper } from './nearest-judge.ts';
import { PAPER } from './paper-tables.ts';

/** The dimensions of the paper's figure 5: what is measured, and the values at the centre and at the rim. */
const AXES = [
  { label: 'found again', metric: 'detectionRate', centre: 0.8, rim: 1 },
  { label: 'privacy (1 − cosine)', metric: 'reidCosineVgg', centre: 0.5, rim: 0 },
  { label: 'pose', metric: 'poseError', centre: 0.1, rim: 0.02 },
  { label: 'expression', metric: 'expressionAgreement', centre: 0.3, rim: 1 },
  { label: 'light (Si-MSE)', metric: 'siMse', centre: 0.09, rim: 0 },
  { label: 'colour (ΔE)', metric: 'deltaE', centre: 18, rim: 4 },
] as const;

const COLOURS = ['#1f5fbf', '#c2452d', '#2a8a4a', '#8a5ac2', '#b8860b', '#4a7a8a', '#888888'];
/** Of the methods that the paper compares itself with. */
const PALE = ['#c7b9d9', '#d9c3a5', '#b5cfb5', '#d9b3b3', '#b3cad9', '#cfcf9f', '#c9b0a0', '#b8c4b8'];
const PAPER_COLOUR = '#222222';
const RADIUS = 130;
const LINE = 16;

/** One shape. Values by the names of the paper's rows. */
export interface RadarSeries {
  readonly name: string;
  readonly values: Readonly<Record<string, number | undefined>>;
  readonly colour: string;
  /** Drawn in thin pale lines: there to be compared with, not to be read first. */
  readonly background?: boolean;
}

/** A method's shape by the judges that are nearest to the paper's; where the runtime's stood in, its name says so. */
export function radarSeries(methods: readonly { readonly method: string; readonly metrics: Scores }[]): RadarSeries[] {
  return methods.map(({ method, metrics }, k) => {
    const like = likeThePaper(metrics);
    const name = judgedBy(
      method,
      like,
      AXES.map((a) => a.metric),
    );
    return { name, values: like.values, colour: COLOURS[k % COLOURS.length]! };
  });
}

/** The paper's own method, then those it compares itself with. */
export function paperSeries(): RadarSeries[] {
  const series = PAPER.map(({ method, ...row }, i): RadarSeries => {
    const values = row as unknown as RadarSeries['values'];
    return { name: method, values, colour: PALE[i % PALE.length]!, background: true };
  });
  const { name, values } = series.pop()!;
  return [{ name: `${name} (CelebA-HQ)`, values, colour: PAPER_COLOUR }, ...series];
}

/**
 * An SVG; further out is better on every axis, a missing figure lies in the centre.
 * @param series the first lies on top
 */
export function radarPlot(series: readonly RadarSeries[]): string {
  const at = (axis: number, share: number): string => {
    const angle = (2 * Math.PI * axis) / AXES.length - Math.PI / 2;
    return `${(Math.cos(angle) * share * RADIUS).toFixed(1)},${(Math.sin(angle) * share * RADIUS).toFixed(1)}`;
  };
  const ring = (share: number) =>
    `<polygon points="${AXES.map((_, i) => at(i, share)).join(' ')}" fill="none" stroke="#ccc"/>`;
  const labels = AXES.map(({ label }, i) => {
    const [x, y] = at(i, 1.1).split(',');
    const anchor = Math.abs(Number(x)) < 1 ? 'middle' : Number(x) > 0 ? 'start' : 'end';
    return `<text x="${x}" y="${y}" text-anchor="${anchor}" font-size="11">${label}</text>`;
  });
  const shape = ({ name, values, colour, background }: RadarSeries) => {
    const points = AXES.map(({ metric, centre, rim }, i) => {
      const v = values[metric];
      return at(i, v === undefined || !Number.isFinite(v) ? 0 : clamp((v - centre) / (rim - centre)));
    });
    const [width, filled] = background ? [0.8, 0] : [2.2, 0.08];
    return `<polygon points="${points.join(' ')}" fill="${colour}" fill-opacity="${filled}" stroke="${colour}" stroke-width="${width}"><title>${escapeHtml(name)}</title></polygon>`;
  };
  const key = series.map(({ name, colour, background }, k) => {
    const size = background ? 10 : 12;
    return `<text x="250" y="${-140 + LINE * k}" font-size="${size}"><tspan fill="${colour}">■</tspan> ${escapeHtml(name)}</text>`;
  });
  const height = Math.max(330, 40 + LINE * series.length);
  return `<svg viewBox="-220 -165 810 ${height}" width="1012" role="img" aria-label="radar plot">${[0.25, 0.5, 0.75, 1].map(ring).join('')}${labels.join('')}${series.toReversed().map(shape).join('')}${key.join('')}</svg>`;
}

const clamp = (v: number) => Math.max(0, Math.min(1, v));

export function escapeHtml(text: string): string {
  return text.replace(/[&<>"]/g, (c) => ({ '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' })[c]!);
}
