/**
 * What it would take to hide tone and light from the colour grid: outputs of an evaluation are changed by random gains of
 * light and shifts of chroma, one draw a face, and attacked again. Nothing is rendered: this works on the 64-pixel copies
 * in the records. `npx tsx bench/tone-jitter.ts out/evaluation/generate/records.jsonl [more/records.jsonl …]`
 */
import { colourGrid, FACE_ELLIPSE, tinyPicture } from '../src/evaluate/attacks/features.ts';
import { trainedMatcher } from '../src/evaluate/attacks/trained-matcher.ts';
import { THUMB } from '../src/evaluate/face-crop.ts';
import type { FaceRecord } from '../src/evaluate/face-record.ts';
import { colourDifference } from '../src/evaluate/metrics/colour-difference.ts';
import { labPicture } from '../src/evaluate/metrics/lab.ts';
import { siMse } from '../src/evaluate/metrics/si-mse.ts';
import { mean, seededRandom } from '../src/evaluate/metrics/statistics.ts';
import { readRecords } from '../src/evaluate/record-store.ts';

/** Standard deviations of a draw. */
interface Jitter {
  /** Of the log of a gain of the whole face. */
  readonly gain: number;
  /** Of its slope from the middle to the edge, across and along the face. */
  readonly slope: number;
  /** Of each of the 15 next cosine terms of light over the face. */
  readonly terms: number;
  /** Of a shift of Cb and of Cr, of 255. */
  readonly chroma: number;
}

const NONE = { gain: 0, slope: 0, terms: 0, chroma: 0 };
const JITTERS: Record<string, Jitter> = {
  none: NONE,
  'gain 5 %': { ...NONE, gain: 0.05 },
  'gain 10 %': { ...NONE, gain: 0.1 },
  'slope 5 %': { ...NONE, slope: 0.05 },
  'slope 10 %': { ...NONE, slope: 0.1 },
  'chroma 3': { ...NONE, chroma: 3 },
  'chroma 6': { ...NONE, chroma: 6 },
  'terms 3 %': { ...NONE, terms: 0.03 },
  'terms 5 %': { ...NONE, terms: 0.05 },
  'gain 6 %, slope 5 %, terms 3 %, chroma 3': { gain: 0.06, slope: 0.05, terms: 0.03, chroma: 3 },
  'gain 10 %, terms 8 %, chroma 6': { gain: 0.1, slope: 0, terms: 0.08, chroma: 6 },
};
const TERMS = 4;

const random = seededRandom(7);
const normal = () => Math.sqrt(-2 * Math.log(random() + 1e-12)) * Math.cos(2 * Math.PI * random());

/** One draw, as a function that changes a 64² RGB picture: both copies of a face get the same. */
function draw({ gain, slope, terms, chroma }: Jitter): (thumb: Uint8Array) => Uint8Array {
  const [whole, across, along, cb, cr] = [gain, slope, slope, chroma, chroma].map((s) => s * normal()) as number[];
  const waves = Array.from({ length: TERMS * TERMS }, (_, i) => (i === 0 ? 0 : terms * normal()));
  return (thumb) => {
    const out = new Uint8Array(thumb.length);
    for (let p = 0; p < THUMB * THUMB; p++) {
      // The face's ellipse spans [0.25, 0.75] × [0.2, 0.8] of the square.
      const u = Math.min(1, Math.max(0, (((p % THUMB) + 0.5) / THUMB - 0.25) / 0.5));
      const v = Math.min(1, Math.max(0, ((Math.floor(p / THUMB) + 0.5) / THUMB - 0.2) / 0.6));
      let log = whole! + across! * (2 * u - 1) + along! * (2 * v - 1);
      waves.forEach((w, k) => {
        log += w * Math.cos(Math.PI * (k % TERMS) * u) * Math.cos(Math.PI * Math.floor(k / TERMS) * v);
      });
      const [r, g, b] = [thumb[3 * p]!, thumb[3 * p + 1]!, thumb[3 * p + 2]!];
      const y = 0.299 * r + 0.587 * g + 0.114 * b;
      const [blue, red] = [(b - y) / 1.772 + cb!, (r - y) / 1.402 + cr!];
      const lit = y * Math.exp(log);
      const rgb = [lit + 1.402 * red, lit - 0.344136 * blue - 0.714136 * red, lit + 1.772 * blue];
      for (let c = 0; c < 3; c++) out[3 * p + c] = Math.max(0, Math.min(255, Math.round(rgb[c]!)));
    }
    return out;
  };
}

const unit = (thumb: Uint8Array) => Float32Array.from(thumb, (v) => v / 255);

function judge(records: readonly FaceRecord[], jitter: Jitter) {
  const faces = records.map(({ person, thumbs }) => {
    const change = draw(jitter);
    return {
      person,
      original: thumbs.original,
      alone: change(thumbs.outputAlone),
      placed: change(thumbs.anonymized),
    };
  });
  const attack = (feature: (thumb: Uint8Array) => Float32Array) =>
    trainedMatcher(faces.map((f) => ({ person: f.person, probe: feature(f.alone), gallery: feature(f.original) })))!
      .value;
  const [before, after] = [faces.map((f) => unit(f.original)), faces.map((f) => unit(f.placed))];
  return {
    grid: attack((t) => colourGrid(t)),
    tiny: attack((t) => tinyPicture(t, FACE_ELLIPSE)),
    siMse: mean(before.map((b, i) => siMse(b, after[i]!, FACE_ELLIPSE))),
    deltaE: mean(before.map((b, i) => colourDifference(labPicture(b), labPicture(after[i]!), FACE_ELLIPSE).deltaE)),
  };
}

const sets = process.argv.slice(2).map((path) => readRecords(path));
if (sets.length === 0) throw new Error('name the records.jsonl of an evaluation');
process.stdout.write('| change | colourGrid | tinyPicture16 | Si-MSE | ΔE |\n|---|---|---|---|---|\n');
for (const [name, jitter] of Object.entries(JITTERS)) {
  const all = sets.map((records) => judge(records, jitter));
  const of = (key: keyof (typeof all)[number]) => mean(all.map((r) => r[key]));
  process.stdout.write(
    `| ${name} | ${of('grid').toFixed(2)} | ${of('tiny').toFixed(2)} | ${of('siMse').toFixed(4)} | ${of('deltaE').toFixed(1)} |\n`,
  );
}
