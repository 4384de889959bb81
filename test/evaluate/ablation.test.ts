import { describe, expect, it } from 'vitest';
import { siMseGain } from '../../src/cli/ablation.ts';
import type { FaceRecord } from '../../src/evaluate/face-record.ts';
import { ablationTable } from '../../src/evaluate/report/ablation-table.ts';

describe('the gain of the photometry', () => {
  const face = (name: string, siMse: number) => ({ name, person: name, values: { siMse } }) as unknown as FaceRecord;

  it('is the share of the bare Si-MSE that is gone, on the same faces', () => {
    const bare = [face('a', 0.01), face('b', 0.03), face('c', 0.02)];
    const full = [face('c', 0.01), face('b', 0.03), face('a', 0.005)];
    const gain = siMseGain(full, bare);
    expect(gain.value).toBeCloseTo(0.25, 9);
    const table = ablationTable([
      { parts: 'full', scores: { siMse: { value: 0.015, low: 0, high: 1 } }, siMseGain: gain },
    ]);
    expect(table).toContain('| full | 0.0150 | 25 % [');
    expect(table).toContain('| paper: intrinsic + pyramid | 0.0137 |');
  });
});
