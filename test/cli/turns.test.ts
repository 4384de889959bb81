import { describe, expect, it } from 'vitest';
import { runWeighted, Turns } from '../../src/cli/turns.ts';

const later = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));

describe('turns', () => {
  it('come in the order they were handed out, whoever is ready first and whoever gives up', async () => {
    const turns = new Turns();
    const order: string[] = [];
    const work = async (name: string, ms: number, fails: boolean) => {
      const turn = turns.next();
      try {
        await later(ms);
        if (fails) return;
        await turn.mine;
        order.push(name);
      } finally {
        turn.done();
      }
    };
    await Promise.all([work('a', 30, false), work('b', 0, true), work('c', 0, false), work('d', 10, false)]);
    expect(order).toEqual(['a', 'c', 'd']);
  });
});

describe('jobs with weights', () => {
  it('run together as far as their weights allow, and alone where one weighs everything', async () => {
    let under = 0;
    const most: number[] = [];
    const begun: number[] = [];
    await runWeighted(
      [0.25, 0.25, 0.25, 0.25, 0.25, 1, 3, 0.5, 0.5, 0.5],
      (w) => w,
      async (w, i) => {
        begun.push(i);
        most[i] = ++under;
        await later(5);
        // Others may begin while this one is under way.
        if (w >= 1) expect(under).toBe(1);
        under--;
      },
    );
    expect(begun).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
    expect(Math.max(...most)).toBe(4);
    expect(most.slice(5, 8)).toEqual([1, 1, 1]);
  });

  it('begin no more after a failure, and end what has begun before they tell of it', async () => {
    const ended: number[] = [];
    const all = runWeighted(
      [0, 1, 2, 3, 4],
      () => 0.5,
      async (job) => {
        await later(job === 1 ? 20 : 5);
        if (job === 0) throw new Error('out of memory');
        ended.push(job);
      },
    );
    await expect(all).rejects.toThrow('out of memory');
    expect(ended).toEqual([1]);
  });
});
