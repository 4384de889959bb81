import { describe, expect, it } from 'vitest';
import { keyedNormals } from '../../src/core/keyed-random.ts';
import { CHOICE, MAX_LIKENESS, PAUSE, ReidentificationGate, TAKEN_FOR } from '../../src/guard/reidentification-gate.ts';

const KEY = new Uint8Array(32).fill(7);

const judgeOf =
  (likeness: readonly (number | undefined)[], asked: number[] = [], misfits: readonly number[] = []) =>
  async (draw: number, limit: number) => {
    asked.push(draw);
    const here = likeness[draw];
    if (here === undefined) return undefined;
    return here > limit ? { likeness: here } : { likeness: here, misfit: misfits[draw] ?? 0.02 };
  };
/** The first that passes is taken. */
const FIRST = { among: 1, tries: 8 };

describe('the re-identification gate', () => {
  it('refuses understudies that look like the person and keeps the first that does not', async () => {
    const gate = new ReidentificationGate(KEY, FIRST);
    const asked: number[] = [];
    const judge = judgeOf([0.5, MAX_LIKENESS + 0.01, -0.1, 0], asked);
    expect(await gate.drawFor('0/1', judge)).toEqual({ draw: 2, judged: true });
    expect(await gate.drawFor('0/1', judge)).toEqual({ draw: 2, judged: false });
    expect(asked).toEqual([0, 1, 2]);
    expect(gate.refused).toBe(2);
  });

  it('takes the least alike of a handful when all are too alike', async () => {
    const gate = new ReidentificationGate(KEY, FIRST);
    const likeness = [0.6, 0.5, TAKEN_FOR, 0.4, 0.5, 0.6, 0.4, 0.5, 0.1];
    expect((await gate.drawFor('0/1', judgeOf(likeness))).draw).toBe(2);
  });

  it('shows nobody when all would be taken for the person, and tries again later', async () => {
    const gate = new ReidentificationGate(KEY, FIRST);
    const asked: number[] = [];
    const alike = judgeOf([0.6, 0.5, TAKEN_FOR + 0.01, 0.4, 0.5, 0.6, 0.4, 0.5, 0.1], asked);
    for (let face = 0; face <= PAUSE; face++) await expect(gate.drawFor('0/1', alike)).rejects.toThrow('too like');
    expect(asked).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
    // Somebody else is drawn meanwhile, and the person in another light or nearer.
    expect((await gate.drawFor('0/2', judgeOf([-0.1]))).draw).toBe(0);
    expect((await gate.drawFor('0/1', judgeOf([0.5, -0.1]))).draw).toBe(1);
  });

  it('takes the one that wears the expression best of those that nobody would know the person by, and nothing that is alike for its sake', async () => {
    const gate = new ReidentificationGate(KEY, { among: 3, tries: 6 });
    const asked: number[] = [];
    const likeness = [-0.2, 0.5, -0.2, -0.2, -0.2, -0.2];
    expect((await gate.drawFor('0/1', judgeOf(likeness, asked, [0.03, 0.001, 0.01, 0.02, 0.001]))).draw).toBe(2);
    expect(asked).toEqual([0, 1, 2, 3]);
    // Fewer that pass than there were to choose from: the best of these.
    expect(
      (
        await gate.drawFor(
          '0/2',
          judgeOf([0.5, 0.5, -0.2, 0.5, -0.2, 0.5], [], [0.001, 0.001, 0.03, 0.001, 0.02, 0.001]),
        )
      ).draw,
    ).toBe(4);
    await expect(gate.drawFor('0/3', judgeOf([-0.2], [], [Number.NaN]))).rejects.toThrow('could not be judged');
    // What has passed is shown, also when a later draw cannot be judged.
    expect((await gate.drawFor('0/4', judgeOf([0.5, -0.2, undefined], [], []))).draw).toBe(1);
  });

  it('lets no other frame of the person pass while its first face is judged', async () => {
    const gate = new ReidentificationGate(KEY, FIRST);
    const order: string[] = [];
    const slow = async (draw: number) => {
      await new Promise((resolve) => setTimeout(resolve, 20));
      order.push(`judged ${draw}`);
      return draw === 0 ? { likeness: 0.9 } : { likeness: -0.1, misfit: 0.02 };
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
    const gate = new ReidentificationGate(KEY, FIRST);
    for (const unknown of [undefined, Number.NaN]) {
      await expect(gate.drawFor('0/1', judgeOf([unknown]))).rejects.toThrow('could not be judged');
      await expect(gate.drawFor('0/1', judgeOf([0.5, unknown]))).rejects.toThrow('could not be judged');
    }
    await expect(gate.drawFor('0/1', () => Promise.reject(new Error('gone')))).rejects.toThrow('gone');
    expect((await gate.drawFor('0/1', judgeOf([0.5, -0.1]))).draw).toBe(1);
    expect((await gate.drawFor('1/1', judgeOf([-0.1]))).draw).toBe(0);
    gate.endStream('0/');
    expect(await gate.drawFor('0/1', judgeOf([-0.1]))).toEqual({ draw: 0, judged: true });
  });

  /** Likeness of the understudies that are taken for many people, whose draws are normal about `mean`. */
  async function taken(mean: number, spread: number, { key = KEY, choice = CHOICE } = {}): Promise<number[]> {
    const gate = new ReidentificationGate(key, choice);
    const people = Array.from({ length: 3000 }, async (_, person) => {
      const draws = keyedNormals(Uint8Array.of(1), `${person}`, choice.tries).map((n) => mean + spread * n);
      // How well the expression is worn has nothing to do with likeness here.
      const misfits = [...keyedNormals(Uint8Array.of(2), `${person}`, choice.tries)];
      return draws[(await gate.drawFor(`0/${person}`, judgeOf([...draws], [], misfits))).draw]!;
    });
    return Promise.all(people);
  }

  it('makes understudies as unlike their person as strangers are, and not in a way that stands out', async () => {
    for (const choice of [FIRST, CHOICE]) {
      const likeness = await taken(0.08, 0.1, { choice });
      const middle = likeness.reduce((a, b) => a + b) / likeness.length;
      const spread = Math.sqrt(likeness.reduce((a, b) => a + (b - middle) ** 2, 0) / likeness.length);
      expect(Math.abs(middle)).toBeLessThan(0.02);
      // A limit that moved the mean as far by cutting everything off above it would leave .06 of its width.
      expect(spread).toBeGreaterThan(0.07);
      expect(likeness.filter((v) => v > 0.1).length).toBeGreaterThan(100);
      expect(Math.max(...likeness)).toBeLessThanOrEqual(MAX_LIKENESS);
    }
  });

  it('refuses the same draws with the same key, and others with another', async () => {
    const once = await taken(0.06, 0.1);
    expect(await taken(0.06, 0.1)).toEqual(once);
    expect(await taken(0.06, 0.1, { key: new Uint8Array(32).fill(8) })).not.toEqual(once);
  });
});
