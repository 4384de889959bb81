import jpeg from 'jpeg-js';
import { THUMB } from '../face-crop.ts';
import { type FaceRecord, METRICS, type MetricInfo } from '../face-record.ts';
import { SUSPECTED_COPY, suspectedCopy } from '../metrics/si-mse.ts';
import { escapeHtml } from './radar-plot.ts';

const QUALITY = 85;
const WORST = 10;
const SHEET = 60;

function picture(rgb: Uint8Array): string {
  const rgba = Buffer.alloc(THUMB * THUMB * 4, 255);
  for (let p = 0; p < THUMB * THUMB; p++) for (let c = 0; c < 3; c++) rgba[4 * p + c] = rgb[3 * p + c]!;
  const { data } = jpeg.encode({ data: rgba, width: THUMB, height: THUMB }, QUALITY);
  return `<img alt="" width="${THUMB}" height="${THUMB}" src="data:image/jpeg;base64,${data.toString('base64')}">`;
}

/** Original, anonymized and their difference (doubled), side by side. */
function triple({ name, thumbs, values }: FaceRecord, note = ''): string {
  const difference = thumbs.original.map((v, i) => Math.min(255, 2 * Math.abs(v - thumbs.anonymized[i]!)));
  const three = [thumbs.original, thumbs.anonymized, difference].map(picture).join('');
  const [mark, says] = suspectedCopy(values.siMse) ? [' class="suspect"', 'suspected copy'] : ['', ''];
  const caption = [escapeHtml(name), note, says].filter(Boolean).join(' ');
  return `<figure${mark}>${three}<figcaption>${caption}</figcaption></figure>`;
}

/** The first faces, evenly chosen when there are more than fit; suspected copies are marked. */
export function contactSheet(records: readonly FaceRecord[]): string {
  const step = Math.max(1, records.length / SHEET);
  const shown = Array.from({ length: Math.min(SHEET, records.length) }, (_, i) => records[Math.floor(i * step)]!);
  return `<div class="sheet">${shown.map((r) => triple(r)).join('')}</div>`;
}

/** HTML: the faces that are too near to the original to be only of the same light; somebody has to look at them. */
export function suspectedNames(records: readonly FaceRecord[]): string {
  const names = records.filter((r) => suspectedCopy(r.values.siMse)).map((r) => escapeHtml(r.name));
  const which = names.length > 0 ? `: ${names.join(', ')}` : '';
  return `<p>${names.length} of ${records.length} faces have a Si-MSE below ${SUSPECTED_COPY}${which}.</p>`;
}

/**
 * HTML: for each metric the ten faces it judges worst; what could not be measured comes first.
 * @param faces whether to show them or only to name them
 */
export function worstFaces(records: readonly FaceRecord[], faces: boolean): string {
  const parts: string[] = [];
  for (const [name, { label, better, digits }] of Object.entries(METRICS) as [string, MetricInfo][]) {
    const judged = records.filter((r) => r.values[name] !== undefined);
    if (judged.length === 0 || new Set(judged.map((r) => r.values[name])).size < 2) continue;
    const badness = (r: FaceRecord) => {
      const v = r.values[name]!;
      if (Number.isNaN(v)) return Number.POSITIVE_INFINITY;
      return better === 'lower' ? v : -v;
    };
    const worst = [...judged].sort((a, b) => badness(b) - badness(a)).slice(0, WORST);
    const text = (r: FaceRecord) => (Number.isNaN(r.values[name]!) ? '–' : r.values[name]!.toFixed(digits));
    const shown = faces
      ? `<div class="sheet">${worst.map((r) => triple(r, text(r))).join('')}</div>`
      : `<ol>${worst.map((r) => `<li>${escapeHtml(r.name)}: ${text(r)}</li>`).join('')}</ol>`;
    parts.push(`<details><summary>${escapeHtml(label)}</summary>${shown}</details>`);
  }
  return parts.join('');
}
