import { setTimeout as pause } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { WorkerDied } from '../../src/core/worker-errors.ts';
import { patiently } from '../../src/pipeline/patiently.ts';

/** A worker of which only that is there by which it is waited for. */
const down = (inVain: number) => ({ ready: Promise.resolve(), alive: false, inVain });
const dead = new WorkerDied('analysis', 'exit code 1');

/** @returns how it ended, how often it was asked, and whether soon */
async function asked(worker: ReturnType<typeof down>, answer: (again: boolean) => string) {
  const began = performance.now();
  const times: boolean[] = [];
  const result = await patiently(worker, true, async (again) => {
    times.push(again);
    return answer(again);
  }).catch((error: unknown) => error);
  return { result, times, soon: performance.now() - began < 5000 };
}

describe('asking a worker that has died', () => {
  it('waits for the next one and asks it again', async () => {
    const worker = down(3);
    setTimeout(() => {
      worker.alive = true;
    }, 100);
    const again = (second: boolean) => {
      if (!second) throw dead;
      return 'faces';
    };
    expect(await asked(worker, again)).toEqual({ result: 'faces', times: [false, true], soon: true });
  });

  it('waits no more when many have died without an answer: each picture of a film would be as long in vain', async () => {
    const gone = () => {
      throw dead;
    };
    expect(await asked(down(20), gone)).toEqual({ result: dead, times: [false], soon: true });
    // Also when that comes about while it waits.
    const worker = down(19);
    void pause(100).then(() => {
      worker.inVain = 20;
    });
    expect(await asked(worker, gone)).toEqual({ result: dead, times: [false], soon: true });
  });

  it('still asks a worker that has been given up: with its first answer it is waited for again', async () => {
    expect(await asked(down(20), () => 'faces')).toEqual({ result: 'faces', times: [false], soon: true });
  });
});
