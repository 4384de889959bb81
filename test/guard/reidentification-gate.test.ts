import { describe, expect, it } from 'vitest';
import { MAX_LIKENESS, ReidentificationGate } from '../../src/guard/reidentification-gate.ts';

const judgeOf =
  (likeness: readonly (number | undefined)[], asked: number[] = []) =>
  async (draw: number) => {
    asked.push(draw);
    return likeness[draw];
  };

describe('the re-identification gate', () => {
  it('refuses understudies that look like the person and keeps the first that does not', async () => {
    const gate = new ReidentificationGate();
    const asked: number[] = [];
    const judge = judgeOf([0.5, MAX_LIKENESS + 0.01, 0.1, 0], asked);
    expect(await gate.drawFor('0/1', judge)).toEqual({ draw: 2, judged: true });
    expect(await gate.drawFor('0/1', judge)).toEqual({ draw: 2, judged: false });
    expect(asked).toEqual([0, 1, 2]);
    expect(gate.refused).toBe(2);
  });

  it('takes the least alike of a handful when all are too alike', async () => {
    const gate = new ReidentificationGate();
    const likeness = [0.6, 0.5, 0.3, 0.4, 0.5, 0.6, 0.1];
    expect((await gate.drawFor('0/1', judgeOf(likeness))).draw).toBe(2);
  });

  it('lets no other frame of the person pass while its first face is judged', async () => {
    const gate = new ReidentificationGate();
    const order: string[] = [];
    const slow = async (draw: number) => {
      await new Promise((resolve) => setTimeout(resolve, 20));
      order.push(`judged ${draw}`);
      return draw === 0 ? 0.9 : 0;
    };
    const never = () => Promise.reject(new Error('asked twice'));
    const first = gate.drawFor('0/1', slow);
    const second = gate.drawFor('0/1', never).then((d) => {
      order.push('second');
      return d;
    });
    expect((await first).draw).toBe(1);
    expect(await second).toEqual({ draw: 1, judged: false });
    expect(order).toEqual(['judged 0', 'judged 1', 'second']);
  });

  it('shows nothing that could not be judged, judges the next face, and tells streams apart', async () => {
    const gate = new ReidentificationGate();
    for (const unknown of [undefined, Number.NaN]) {
      await expect(gate.drawFor('0/1', judgeOf([unknown]))).rejects.toThrow('could not be judged');
      await expect(gate.drawFor('0/1', judgeOf([0.5, unknown]))).rejects.toThrow('could not be judged');
    }
    await expect(gate.drawFor('0/1', () => Promise.reject(new Error('gone')))).rejects.toThrow('gone');
    expect((await gate.drawFor('0/1', judgeOf([0.5, 0]))).draw).toBe(1);
    expect((await gate.drawFor('1/1', judgeOf([0]))).draw).toBe(0);
    gate.endStream('0/');
    expect(await gate.drawFor('0/1', judgeOf([0]))).toEqual({ draw: 0, judged: true });
  });
});
