import type { FaceRecord } from '../face-record.ts';
import type { Similarity } from '../metrics/reidentification.ts';

const BINS = 60;
const [WIDTH, HEIGHT] = [620, 160];

export interface SimilaritySets {
  /** Two originals of one person; empty when everybody has one picture. */
  readonly same: readonly number[];
  readonly impostor: readonly number[];
  readonly anonymized: readonly number[];
}

export function similaritySets(records: readonly FaceRecord[], key: string, similarity: Similarity): SimilaritySets {
  const same: number[] = [];
  const impostor: number[] = [];
  records.forEach((a, i) => {
    for (const b of records.slice(0, i)) {
      const s = similarity(a.embeddings[key]!.original, b.embeddings[key]!.original);
      (a.person === b.person ? same : impostor).push(s);
    }
  });
  const anonymized = records.map((r) => similarity(r.embeddings[key]!.original, r.embeddings[key]!.anonymized));
  return { same, impostor, anonymized };
}

/** An SVG of three densities with the threshold as a line. */
export function histogramPlot(sets: SimilaritySets, threshold: number | undefined): string {
  const all = [...sets.same, ...sets.impostor, ...sets.anonymized, ...(threshold === undefined ? [] : [threshold])];
  // Not by spreading into Math.min: 500,000 pairs are too many arguments.
  const low = all.reduce((a, b) => Math.min(a, b), Number.POSITIVE_INFINITY);
  const high = all.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY);
  const x = (v: number) => ((v - low) / Math.max(1e-9, high - low)) * WIDTH;
  const curve = (values: readonly number[], colour: string, name: string) => {
    if (values.length === 0) return '';
    const counts = new Float64Array(BINS);
    for (const v of values) counts[Math.min(BINS - 1, Math.floor((x(v) / WIDTH) * BINS))]! += 1 / values.length;
    const peak = counts.reduce((a, b) => Math.max(a, b), 0);
    const points = [...counts].map(
      (c, i) => `${(((i + 0.5) * WIDTH) / BINS).toFixed(1)},${(HEIGHT - (c / peak) * (HEIGHT - 20)).toFixed(1)}`,
    );
    return `<polyline points="0,${HEIGHT} ${points.join(' ')} ${WIDTH},${HEIGHT}" fill="${colour}" fill-opacity="0.15" stroke="${colour}"><title>${name}, ${values.length} pairs</title></polyline>`;
  };
  const line =
    threshold === undefined
      ? ''
      : `<line x1="${x(threshold)}" x2="${x(threshold)}" y1="0" y2="${HEIGHT}" stroke="#333" stroke-dasharray="4 3"/>`;
  const scale = [0, 0.25, 0.5, 0.75, 1].map(
    (t) =>
      `<text x="${t * WIDTH}" y="${HEIGHT + 14}" font-size="10" text-anchor="middle">${(low + t * (high - low)).toFixed(2)}</text>`,
  );
  return `<svg viewBox="-20 0 ${WIDTH + 40} ${HEIGHT + 20}" width="${WIDTH + 40}">${curve(sets.impostor, '#888888', 'different people')}${curve(sets.same, '#2a8a4a', 'same person')}${curve(sets.anonymized, '#c2452d', 'original and anonymized')}${line}${scale.join('')}</svg>`;
}
