import { describe, expect, it } from 'vitest';
import { ablationTable } from '../../src/evaluate/report/ablation-table.ts';
import { attackMark, attackNotes } from '../../src/evaluate/report/attack-marks.ts';
import { comparisonTable } from '../../src/evaluate/report/comparison-table.ts';
import { likeThePaper } from '../../src/evaluate/report/nearest-judge.ts';
import { scoreTable } from '../../src/evaluate/report/terminal-table.ts';
import type { EvaluationResult } from '../../src/evaluate/result.ts';
import type { Scores } from '../../src/evaluate/score.ts';
import { faceRecord } from '../support/face-records.ts';

const figure = (value: number, n?: number) => ({ value, low: value / 2, high: value * 2, ...(n && { n }) });

describe('the table of methods', () => {
  it('says on how few faces a figure rests, and only then', () => {
    const metrics = { expressionAgreement: figure(1, 4), siMse: figure(0.01, 102) };
    const table = comparisonTable([{ method: 'blur', metrics, n: 102 }]);
    expect(table).toContain('| expression agreement | 1.000 (n 4) | 0.750 |');
    expect(table).toContain('| Si-MSE | 0.0100 | 0.0137 |');
    const before = comparisonTable([{ method: 'blur', metrics }]);
    expect(before, 'a JSON without n').toContain('| expression agreement | 1.000 | 0.750 |');
  });

  it('counts faces of pictures and FaceTracks apart', () => {
    const metrics = { expressionAgreement: figure(1, 3), emotionAgreement: figure(0.8, 2) };
    const both = { method: 'generate', metrics, n: 5, perFaceTrack: [{}, {}] };
    expect(comparisonTable([both])).toContain('| expression agreement | 1.000 |');
    expect(comparisonTable([both])).toContain('| video: emotion agreement | 0.800 |');
    const fewer = { ...both, metrics: { emotionAgreement: figure(0.8, 1) } };
    expect(comparisonTable([fewer], 1)).toContain('| video: emotion agreement | 0.800 [0.400, 1.600] (n 1) |');
  });

  it("shows the paper's values by its own judges, and stars those of another formula", () => {
    const metrics = { poseError: figure(0.027), poseErrorDlib: figure(0.034), mseL: figure(0.0076) };
    const table = comparisonTable([{ method: 'generate', metrics }]);
    expect(table).toContain('| pose error (dlib) | 0.0340 | 0.0334 |');
    expect(table).toContain('| pose error | 0.0270 |  |');
    expect(table).toContain('| MSE-L | 0.0076 | 0.1117* |');
  });

  it('takes a figure that JSON could not hold for none', () => {
    const read = { method: 'mask', metrics: { poseError: { value: null }, siMse: figure(0.01) } as unknown as Scores };
    expect(comparisonTable([read])).not.toContain('pose error');
  });
});

describe('figures beside the paper', () => {
  const measured = { detectionRate: figure(1), detectionRateMtcnn: figure(0.9), poseError: figure(0.02) };

  it("are by the paper's judges, and say where the runtime's had to do", () => {
    const like = likeThePaper({ ...measured, reidCosineA: figure(0.1) });
    expect(like.values).toMatchObject({ detectionRate: 0.9, poseError: 0.02, reidCosineVgg: 0.1 });
    expect(like.byRuntime).toEqual(['poseError']);
    expect(likeThePaper({ ...measured, poseErrorDlib: figure(0.03) })).toMatchObject({
      values: { poseError: 0.03 },
      byRuntime: [],
    });
  });

  it("stand in the ablation with the paper's cosines, and the heads say who judged", () => {
    const scores = { ...measured, reidCosineA: figure(0.05), reidCosineC: figure(0.06), siMse: figure(0.01) };
    const table = ablationTable([{ parts: 'full', scores }]);
    expect(table).toContain('| parts | found (MTCNN) | cosine A | cosine C | pose (runtime) | Si-MSE | its gain |');
    expect(table).toContain('| full | 0.900 | 0.050 | 0.060 | 0.0200 | 0.0100 |');
    expect(table).toContain('| paper: SfSNet + pyramid | 0.953 | 0.464 | 0.467 | 0.0339 | 0.0363 |');
    expect(table).toContain("The paper's cosines are by FaceNet");
  });
});

describe('marks of attacks', () => {
  const attack = (value: number, chance = 0.01) => ({ value, chance, low: 0, high: 1, n: 102 });

  it('are two-sided for an AUC, and of 5 % for a search', () => {
    expect(attackMark('aucA', attack(0.56, 0.5))).toBe('outside .45–.55');
    expect(attackMark('matchedAucC', attack(0.44, 0.5))).toBe('outside .45–.55');
    expect(attackMark('aucB', attack(0.55, 0.5))).toBe('');
    expect(attackMark('parrotA', attack(0.06))).toBe('above 5 %');
    expect(attackMark('parrotA', attack(0.05))).toBe('');
    expect(attackMark('matchedGalleryA', attack(0.12, 0.13))).toBe('above 5 %, as chance is');
    expect(attackMark('contextOnlyControl', attack(0.93))).toBe('control');
  });

  it('stand in the terminal with the sentence on the control, and with the count of suspected copies', () => {
    const records = [faceRecord(0, { siMse: 0.001 }), faceRecord(1)];
    const attacks = { aucA: attack(0.61, 0.5), colourGrid: attack(0.54), contextOnlyControl: attack(0.93) };
    const nothing = { scores: {}, thresholds: {}, videos: [], tracks: [], asked: 2, leftOut: [], absent: [] };
    const result: EvaluationResult = { machine: 'test', method: 'generate', records, attacks, ...nothing };
    const text = scoreTable(result);
    expect(text).toMatch(/^aucA .* chance 0\.500 {2}n 102 {2}outside \.45–\.55$/m);
    expect(text).toMatch(/^colourGrid .* chance 0\.010 {2}n 102 {2}above 5 %$/m);
    expect(text).toMatch(/^contextOnlyControl is a control: hair, ears, neck and clothes/m);
    expect(text).toContain('suspected copies: 1 of 2 faces');
    expect(attackNotes({})).toEqual([]);
  });
});
