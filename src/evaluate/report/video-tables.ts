import type { EvaluationResult } from '../result.ts';
import { escapeHtml } from './radar-plot.ts';

/** Per FaceTrack, and where MTCNN finds a face that was left as it was: places to look at. */
const COLUMNS = {
  coverage: ['changed', 3],
  leakCount: ['taken for the original', 0],
  videoDetectionRate: ['found again', 3],
  temporalCorrelation: ['landmark correlation', 3],
  emotionAgreement: ['emotion agreement', 3],
  flickerRatio: ['flicker ratio', 2],
} as const satisfies Record<string, readonly [string, number]>;

export function videoTables({ tracks, videos }: EvaluationResult): string {
  const heads = Object.values(COLUMNS).map(([label]) => `<th>${label}</th>`);
  const rows = tracks.map(({ name, frames, values }) => {
    const cells = Object.entries(COLUMNS).map(([metric, [, digits]]) => {
      const v = values[metric] ?? Number.NaN;
      return `<td>${Number.isFinite(v) ? v.toFixed(digits) : '–'}</td>`;
    });
    return `<tr><td>${escapeHtml(name)}</td><td>${frames}</td>${cells.join('')}</tr>`;
  });
  const places = videos.flatMap(({ name, check }) =>
    (check?.uncovered ?? []).map(
      (u) => `<li>${escapeHtml(name)}, frame ${u.frame}: ${u.height} pixels high at ${u.x}, ${u.y}</li>`,
    ),
  );
  const missed = `<h3>MTCNN's finds that were left as they were</h3><ul>${places.join('') || '<li>none</li>'}</ul>`;
  return `<h2>FaceTracks</h2><table><tr><th>FaceTrack</th><th>frames</th>${heads.join('')}</tr>${rows.join('')}</table>${missed}`;
}
