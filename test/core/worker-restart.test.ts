import { setTimeout as pause } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { WorkerClient, type WorkerClientOptions } from '../../src/core/worker-client.ts';
import { WorkerDied, WorkerFailure } from '../../src/core/worker-errors.ts';
import type { StartingData } from './starting-worker.ts';

const entry = new URL('./starting-worker', import.meta.url);

function client(data: Omit<StartingData, 'starts'>, options: WorkerClientOptions = {}) {
  const starts = new SharedArrayBuffer(4);
  return new WorkerClient<'ask' | 'die', number, number>('starting', entry, { ...options, data: { ...data, starts } });
}

const until = async (condition: () => boolean) => {
  const giveUpAt = performance.now() + 20_000;
  while (!condition() && performance.now() < giveUpAt) await pause(5);
};

describe('a worker that is started again', () => {
  it('is tried again when a start fails, and tells of it', async () => {
    const deaths: string[] = [];
    const worker = client({ failing: [2, 3] }, { onDeath: (error) => deaths.push(error.message) });
    expect(await worker.ready).toBe(1);
    await worker.call('die').catch(() => {});
    expect(worker.alive).toBe(false);
    await until(() => worker.alive);
    // It has started, but nothing has come of it yet.
    expect(worker.inVain).toBe(3);
    expect(await worker.call('ask')).toBe(4);
    expect(worker.inVain).toBe(0);
    expect(deaths).toEqual([
      'the starting worker died: exit code 7',
      'the starting worker died: starting: the driver is not there yet',
      'the starting worker died: starting: the driver is not there yet',
    ]);
    await worker.close();
  });

  it('is not when it has never started: whoever starts the program is told', async () => {
    const worker = client({ failing: [1] });
    await expect(worker.ready).rejects.toBeInstanceOf(WorkerFailure);
    expect(worker.restarts).toBe(0);
    await worker.close();
  });

  it('is given longer pauses until it has answered, not only started', async () => {
    const worker = client({});
    await worker.ready;
    let ms = 0;
    for (let death = 1; death <= 6; death++) {
      await worker.call('die').catch(() => {});
      const died = performance.now();
      await until(() => worker.alive);
      ms = performance.now() - died;
    }
    expect(ms).toBeGreaterThan(1600);
    await worker.close();
  });

  it('keeps nobody waiting who is impatient, but for its first start', async () => {
    for (const impatient of [true, false]) {
      const worker = client({ againMs: 1000 }, { impatient });
      expect(await worker.call('ask')).toBe(1);
      await worker.call('die').catch(() => {});
      // The next thread is there, and starts.
      await pause(300);
      const asked = performance.now();
      const answer = await worker.call('ask').catch((error: unknown) => error);
      if (impatient) {
        expect(answer).toBeInstanceOf(WorkerDied);
        expect(performance.now() - asked).toBeLessThan(200);
        await until(() => worker.alive);
      }
      expect(impatient ? await worker.call('ask') : answer).toBe(2);
      await worker.close();
    }
  });

  it('counts as hung when the start does not end, though nothing is asked of it', async () => {
    const worker = client({ hanging: [2] }, { timeoutMs: 1200 });
    await worker.ready;
    await worker.call('die').catch(() => {});
    await until(() => worker.alive);
    expect(await worker.call('ask')).toBe(3);
    await worker.close();
  });
});
