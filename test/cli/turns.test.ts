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
    await runWeighted({
      jobs: [0.25, 0.25, 0.25, 0.25, 0.25, 1, 3, 0.5, 0.5, 0.5],
      weightOf: (w) => w,
      run: async (w, i) => {
        begun.push(i);
        most[i] = ++under;
        await later(5);
        // Others may begin while this one is under way.
        if (w >= 1) expect(under).toBe(1);
        under--;
      },
    });
    expect(begun).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
    expect(Math.max(...most)).toBe(4);
    expect(most.slice(5, 8)).toEqual([1, 1, 1]);
  });

  it('begin no more after a failure, and end what has begun before they tell of it', async () => {
    const ended: number[] = [];
    const run = async (job: number) => {
      await later(job === 1 ? 20 : 5);
      if (job === 0) throw new Error('out of memory');
      ended.push(job);
    };
    await expect(runWeighted({ jobs: [0, 1, 2, 3, 4], weightOf: () => 0.5, run })).rejects.toThrow('out of memory');
    expect(ended).toEqual([1]);
    const weightOf = (job: number) => {
      if (job === 6) throw new Error('gone');
      return 0.5;
    };
    await expect(runWeighted({ jobs: [5, 6, 7], weightOf, run })).rejects.toThrow('gone');
    expect(ended).toEqual([1, 5]);
  });

  it('begin no more after the signal, nor are they weighed', async () => {
    const stop = new AbortController();
    const weighed: number[] = [];
    const ended: number[] = [];
    await runWeighted({
      jobs: [0, 1, 2, 3],
      weightOf: (job) => {
        weighed.push(job);
        return 1;
      },
      run: async (job) => {
        await later(5);
        if (job === 1) stop.abort();
        ended.push(job);
      },
      stop: stop.signal,
    });
    expect(ended).toEqual([0, 1]);
    // The third waited for the second.
    expect(weighed).toEqual([0, 1, 2]);
  });
});
