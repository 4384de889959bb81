import type { Scores } from '../score.ts';
import { PAPER } from './paper-tables.ts';

/** Five dimensions of the paper's figure 5: what is measured, and the values at the centre and at the rim. */
const AXES = [
  { label: 'found again', metric: 'detectionRate', centre: 0.8, rim: 1 },
  { label: 'privacy (1 − cosine)', metric: 'reidCosineA', centre: 0.5, rim: 0 },
  { label: 'pose', metric: 'poseError', centre: 0.1, rim: 0.02 },
  { label: 'expression', metric: 'expressionAgreement', centre: 0.3, rim: 1 },
  { label: 'light (Si-MSE)', metric: 'siMse', centre: 0.09, rim: 0 },
  { label: 'colour (ΔE)', metric: 'deltaE', centre: 18, rim: 4 },
] as const;

const COLOURS = ['#1f5fbf', '#c2452d', '#2a8a4a', '#8a5ac2', '#b8860b', '#4a7a8a', '#888888'];
const RADIUS = 130;

export interface RadarSeries {
  readonly name: string;
  readonly values: Readonly<Record<string, number | undefined>>;
}

export function radarSeries(name: string, scores: Scores): RadarSeries {
  return { name, values: Object.fromEntries(AXES.map(({ metric }) => [metric, scores[metric]?.value])) };
}

export function paperSeries(): RadarSeries {
  const { reidCosineVgg, ...row } = PAPER.at(-1)!;
  return {
    name: 'the paper (CelebA-HQ)',
    values: { ...row, reidCosineA: reidCosineVgg } as unknown as RadarSeries['values'],
  };
}

/** An SVG; further out is better on every axis, a missing figure lies in the centre. */
export function radarPlot(series: readonly RadarSeries[]): string {
  const at = (axis: number, share: number): string => {
    const angle = (2 * Math.PI * axis) / AXES.length - Math.PI / 2;
    return `${(Math.cos(angle) * share * RADIUS).toFixed(1)},${(Math.sin(angle) * share * RADIUS).toFixed(1)}`;
  };
  const ring = (share: number) =>
    `<polygon points="${AXES.map((_, i) => at(i, share)).join(' ')}" fill="none" stroke="#ccc"/>`;
  const labels = AXES.map(({ label }, i) => {
    const [x, y] = at(i, 1.14).split(',');
    return `<text x="${x}" y="${y}" text-anchor="middle" font-size="11">${label}</text>`;
  });
  const shapes = series.map(({ name, values }, k) => {
    const points = AXES.map(({ metric, centre, rim }, i) => {
      const v = values[metric];
      return at(i, v === undefined || Number.isNaN(v) ? 0 : Math.max(0, Math.min(1, (v - centre) / (rim - centre))));
    });
    const colour = COLOURS[k % COLOURS.length];
    return `<polygon points="${points.join(' ')}" fill="${colour}" fill-opacity="0.08" stroke="${colour}" stroke-width="2"><title>${name}</title></polygon>`;
  });
  const key = series.map(
    ({ name }, k) =>
      `<text x="250" y="${-110 + 18 * k}" font-size="12" fill="${COLOURS[k % COLOURS.length]}">■ ${escapeHtml(name)}</text>`,
  );
  return `<svg viewBox="-190 -165 700 330" width="875" role="img" aria-label="radar plot">${[0.25, 0.5, 0.75, 1].map(ring).join('')}${labels.join('')}${shapes.join('')}${key.join('')}</svg>`;
}

export function escapeHtml(text: string): string {
  return text.replace(/[&<>"]/g, (c) => ({ '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' })[c]!);
}
