import { describe, expect, it } from 'vitest';
import type { FaceRecord } from '../../src/evaluate/face-record.ts';
import { cosine } from '../../src/evaluate/metrics/reidentification.ts';
import { photometryRule } from '../../src/evaluate/photometry-rule.ts';
import { ablationTable } from '../../src/evaluate/report/ablation-table.ts';
import { ruleTable } from '../../src/evaluate/report/rule-table.ts';

const PEOPLE = 40;
const recognizers = [{ key: 'A', name: 'a recognizer', similarity: cosine }] as const;
const thresholds = { A: { threshold: 0.5, impostorPairs: 200_000, source: 'test' } };

/** Person i is axis i; the output shares this much of it, the rest lies on an axis that nobody has. */
function face(i: number, share: number, siMse: number): FaceRecord {
  const axis = (k: number, v: number, into = new Float32Array(PEOPLE + 1)) => into.fill(v, k, k + 1);
  const anonymized = axis(PEOPLE, Math.sqrt(1 - share * share), axis(i, share));
  return {
    name: `p${i}`,
    person: `p${i}`,
    values: { siMse },
    embeddings: { A: { original: axis(i, 1), anonymized } },
  } as unknown as FaceRecord;
}

const set = (share: number, siMse: (i: number) => number) =>
  Array.from({ length: PEOPLE }, (_, i) => face(i, share, siMse(i)));
const judge = (records: FaceRecord[], base: FaceRecord[]) => photometryRule(records, base, { recognizers, thresholds });
const bare = set(0.1, (i) => 0.01 + 0.0001 * i);

describe('the rule for photometry', () => {
  it('is met by light that is a quarter nearer while nobody is more alike', () => {
    const { met, siMseFall, cosine: rise } = judge(set(0.11, (i) => 0.75 * (0.01 + 0.0001 * i)).reverse(), bare);
    expect(siMseFall.value).toBeCloseTo(0.25, 6);
    expect(rise.value).toBeCloseTo(0.01, 5);
    expect(met).toBe(true);
  });

  it('is broken by too little gain, by likeness, and by acceptance', () => {
    expect(
      judge(
        set(0.1, (i) => 0.85 * (0.01 + 0.0001 * i)),
        bare,
      ).met,
    ).toBe(false);
    expect(
      judge(
        set(0.13, () => 0.002),
        bare,
      ).met,
    ).toBe(false);
    const known = judge(
      set(0.6, () => 0.002),
      bare,
    );
    expect(known.accepted.value).toBe(1);
    expect(known.met).toBe(false);
    // One of forty: 2.5 points, with an upper bound far above.
    const one = judge([face(0, 0.6, 0.002), ...set(0.1, () => 0.002).slice(1)], bare);
    expect(one.accepted.value).toBeCloseTo(1 / 40, 9);
    expect(one.met).toBe(false);
  });

  it('is met when nothing changed, and says how much so few people cannot exclude', () => {
    const rule = judge(
      set(0.1, () => 0.002),
      bare,
    );
    expect(rule.accepted).toMatchObject({ value: 0, low: 0, high: 0 });
    expect(rule.accepted.exact).toBeCloseTo(1 - 0.025 ** (1 / PEOPLE), 9);
    expect(rule.rank1.exact).toBeCloseTo(0.0881, 4);
    expect(rule.met).toBe(true);
    const table = ruleTable([{ parts: 'full', rule }]);
    expect(table).toContain('| full | 0.0 [0.0, 0.0] ≤ +8.8 | 0.0 [0.0, 0.0] ≤ +8.8 |');
    expect(table).toContain('no rise was seen, not that one beyond the limit is excluded');
    // Something did change here, and its interval has a width.
    const one = judge([face(0, 0.6, 0.002), ...set(0.1, () => 0.002).slice(1)], bare);
    expect(one.accepted.exact).toBeUndefined();
  });

  it('is not met, and says why, where acceptance or light could not be measured', () => {
    const after = set(0.1, () => 0.002);
    const rule = photometryRule(after, bare, {
      recognizers,
      thresholds: { A: { impostorPairs: 10, needed: 100_000, source: 'test' } },
    });
    expect(rule.accepted.value).toBeNaN();
    expect(rule.met).toBe(false);
    expect(rule.missing).toEqual(['acceptance: there is no threshold for a recognizer']);
    const says =
      /\| full \| not measurable \| .* \| no \(not measurable: acceptance: there is no threshold for a recog/;
    expect(ruleTable([{ parts: 'full', rule }])).toMatch(says);
    // As it is read back from the ablation's JSON, where NaN is null.
    expect(ruleTable([{ parts: 'full', rule: JSON.parse(JSON.stringify(rule)) }])).toMatch(says);

    const two = [...recognizers, { key: 'C', name: 'another', similarity: cosine }] as const;
    const withC = (records: FaceRecord[]) =>
      records.map((r) => ({ ...r, embeddings: { ...r.embeddings, C: r.embeddings.A! } }));
    const half = photometryRule(withC(after), withC(bare), { recognizers: two, thresholds });
    expect(half.accepted.value, 'the unknown one may be the worst').toBeNaN();
    expect(half.met).toBe(false);

    const dark = judge(
      set(0.1, () => Number.NaN),
      bare,
    );
    expect(dark.missing).toEqual(['Si-MSE: no face has one']);
    expect(dark.met).toBe(false);
  });

  it('stands below the ablation, beside the gain of each row', () => {
    const rule = judge(
      set(0.11, (i) => 0.75 * (0.01 + 0.0001 * i)),
      bare,
    );
    const table = ablationTable([{ parts: 'full', scores: { siMse: { value: 0.009, low: 0, high: 1 } }, rule }]);
    expect(table).toContain('| full | 0.0090 | 25 % [24, 26] |');
    expect(table).toMatch(/\| full \| 0\.0 \[0\.0, 0\.0\] ≤ \+8\.8 \| .*\| \+0\.010 .* \| -25 .*\| yes \|/);
    expect(table).toContain('| paper: intrinsic + pyramid | 0.0137 |');
  });
});
