import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { cosine } from '../../src/evaluate/metrics/reidentification.ts';
import { People } from '../../src/evaluate/pairs.ts';
import { htmlReport } from '../../src/evaluate/report/html-report.ts';
import { PAPER } from '../../src/evaluate/report/paper-tables.ts';
import { radarPlot, radarSeries } from '../../src/evaluate/report/radar-plot.ts';
import { type EvaluationResult, resultJson } from '../../src/evaluate/result.ts';
import { score } from '../../src/evaluate/score.ts';
import { faceRecord } from '../support/face-records.ts';

const recognizers = [
  { key: 'A', name: 'fr_feature', similarity: cosine },
  { key: 'C', name: 'MobileFaceNet', similarity: cosine },
] as const;
const thresholds = { A: { threshold: 0.5, impostorPairs: 200_000, source: 'test' } };
/** Number 3 repeats the original's pixels; number 7 was not found again. */
const records = Array.from({ length: 12 }, (_, i) =>
  faceRecord(i, i === 3 ? { siMse: 0.001 } : i === 7 ? { poseError: Number.NaN } : {}),
);

const result: EvaluationResult = {
  machine: '2 × <test>',
  method: 'generate',
  scores: score(records, { recognizers, thresholds }),
  thresholds,
  attacks: {
    aucA: { value: 0.61, low: 0.5, high: 0.7, chance: 0.5, n: 24 },
    colourGrid: { value: 0.5, low: 0.3, high: 0.7, chance: 1 / 12, n: 12 },
    contextOnlyControl: { value: 0.9, low: 0.8, high: 1, chance: 1 / 12, n: 12 },
  },
  records,
  videos: [],
  tracks: [],
  asked: 12,
  leftOut: [{ name: 'broken', reason: 'cannot be read <at all>' }],
  absent: [],
};

function people(): People {
  const csv = join(mkdtempSync(join(tmpdir(), 'understudy-report-test-')), 'info.csv');
  writeFileSync(csv, `id,gender\n${records.map((r, i) => `${r.person},${i % 3 ? 'female' : 'male'}`).join('\n')}\n`);
  return People.read(csv);
}

const report = (faces: boolean) => htmlReport({ result, recognizers, people: people(), compared: [], faces });
const page = report(true);

describe('the HTML report', () => {
  it('refers to nothing outside itself', () => {
    for (const text of [page, report(false)]) {
      expect(text).not.toMatch(/https?:/);
      expect(text).not.toMatch(/(src|href)="?(?!"?data:)/);
      expect(text).not.toMatch(/url\(|@import|<script|<link|<iframe/);
    }
  });

  it('puts our figures above all rows of the paper', () => {
    for (const { method } of PAPER) expect(page).toContain(`<tr><td>${method}</td>`);
    // Ours by MTCNN and dlib: 0.0355 is the mean of dlib's pose errors.
    expect(page).toMatch(/<tr><td>generate \([^)]*\)<\/td><td>1\.000<\/td><td>[^<]*<\/td><td>0\.0355<\/td>/);
    expect(page).toContain('<td>0.1117*</td><td>0.1163*</td>');
    expect(page).toContain('of another formula');
    expect(page).toContain('<td>pose error</td>');
  });

  it('draws all methods, ours and the paper in front, and names what the runtime judged itself', () => {
    const radar = page.slice(page.indexOf('aria-label="radar plot"'));
    const shapes = [...radar.matchAll(/stroke-width="([\d.]+)"><title>([^<]*)<\/title>/g)];
    expect(shapes).toHaveLength(PAPER.length + 1);
    const thin = shapes.filter(([, width]) => Number(width) < 1).map(([, , name]) => name);
    expect(thin.toReversed()).toEqual(PAPER.slice(0, -1).map((row) => row.method));
    // Drawn last, they lie on top.
    expect(shapes.slice(-2).map(([, , name]) => name)).toEqual(['the paper (CelebA-HQ)', 'generate']);
  });

  it("draws by the paper's judges where they could be asked", () => {
    // On the axis of detection, upwards, .9 lies half way between .8 and 1: 65 of 130 pixels.
    const figure = (value: number) => ({ value, low: 0, high: 1 });
    const metrics = { detectionRate: figure(1), detectionRateMtcnn: figure(0.9), poseError: figure(0.02) };
    const plot = radarPlot(radarSeries([{ method: 'ours', metrics }]));
    expect(plot).toMatch(/<polygon points="0\.0,-65\.0 [^>]*><title>ours \(pose by the runtime's own judge\)<\/title>/);
  });

  it('shows what recognizers make of it, with the threshold', () => {
    expect(page).toContain('<h3>fr_feature</h3>');
    expect(page).toContain('<title>different people, 66 pairs</title>');
    expect(page).toContain('<title>original and anonymized, 12 pairs</title>');
    expect(page.match(/stroke-dasharray/g)).toHaveLength(1);
  });

  it('marks attacks beyond the goal, and says what the control is', () => {
    expect(page).toMatch(/<td>aucA<\/td>.*<td>outside \.45–\.55<\/td>/);
    expect(page).toMatch(/<td>colourGrid<\/td>.*<td>above 5 %, as chance is<\/td>/);
    expect(page).toMatch(/<td>contextOnlyControl<\/td>.*<td>control<\/td>/);
    expect(page).toContain('contextOnlyControl is a control: hair, ears, neck and clothes');
  });

  it('draws a bar for each group of the CSV', () => {
    expect(page).toContain('<tr><th>gender</th>');
    expect(page).toMatch(/<td>female \(8\)<\/td><td><span class="bar" style="width:\d+px">/);
    expect(page).toContain('<td>male (4)</td>');
  });

  it('shows every face and the worst ten of each metric, unmeasured ones first', () => {
    expect(page).toContain('This file holds original faces.');
    expect(page.match(/<figcaption>011_neutral/g)!.length).toBeGreaterThan(1);
    const worst = page.slice(page.indexOf('<summary>pose error</summary>'));
    const names = [...worst.slice(0, worst.indexOf('</details>')).matchAll(/<figcaption>(\S+) ([^ <]+)/g)];
    expect(names).toHaveLength(10);
    expect(names.slice(0, 2).map(([, name, value]) => `${name} ${value}`)).toEqual([
      '007_neutral –',
      '011_neutral 0.0310',
    ]);
  });

  it('names suspected copies and frames them', () => {
    expect(page).toContain('1 of 12 faces have a Si-MSE below 0.006: 003_neutral.');
    expect(page).toMatch(/<figure class="suspect">(<img [^>]*>){3}<figcaption>003_neutral suspected copy/);
    expect(page).not.toMatch(/class="suspect">(<img [^>]*>){3}<figcaption>004/);
    const json = resultJson(result).perPicture;
    expect(json.filter((p) => p.suspectedCopy).map((p) => p.name)).toEqual(['003_neutral']);
    expect(json[4]!.suspectedCopy).toBe(false);
  });

  it('escapes what it was told', () => {
    expect(page).toContain('2 × &lt;test&gt;');
    expect(page).toContain('broken: cannot be read &lt;at all&gt;');
  });

  it('holds no picture at all without faces, and everything else', () => {
    const bare = report(false);
    expect(bare).not.toMatch(/<img|data:|base64|<figure/);
    expect(bare).not.toContain('This file holds original faces');
    expect(bare).toMatch(/<p class="note">This file holds no pictures, neither originals nor outputs/);
    for (const kept of ['radar plot', '<h3>fr_feature</h3>', 'male (4)', '003_neutral', 'DeepPrivacy2', 'colourGrid'])
      expect(bare).toContain(kept);
    expect(bare).toMatch(/<summary>pose error<\/summary><ol><li>007_neutral: –<\/li><li>011_neutral: 0\.0310<\/li>/);
  });
});
