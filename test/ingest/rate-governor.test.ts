import { describe, expect, it } from 'vitest';
import { RateGovernor } from '../../src/ingest/live/rate-governor.ts';

/** Feeds pictures at a rate to stages that manage so many a second, one waiting. @returns times of those that were processed */
function run(governor: RateGovernor, fromMs: number, seconds: number, fps: number, stagesFps: number): number[] {
  const processed: number[] = [];
  let freeMs = fromMs;
  let waiting: number | undefined;
  for (let i = 0; i < seconds * fps; i++) {
    const nowMs = fromMs + (i * 1000) / fps;
    if (waiting !== undefined && freeMs <= nowMs) {
      processed.push(waiting);
      freeMs += 1000 / stagesFps;
      waiting = undefined;
    }
    if (!governor.take(nowMs)) continue;
    if (waiting === undefined && freeMs <= nowMs) {
      processed.push(nowMs);
      freeMs = nowMs + 1000 / stagesFps;
    } else {
      if (waiting !== undefined) governor.overtaken();
      waiting = nowMs;
    }
  }
  return processed;
}

describe('the rate of live pictures', () => {
  it('is left alone while the stages keep up, also over a pause and a short overload', () => {
    const governor = new RateGovernor();
    run(governor, 0, 30, 30, 40);
    run(governor, 40_000, 6, 30, 10);
    run(governor, 46_000, 30, 30, 40);
    run(governor, 200_000, 30, 30, 31);
    expect(governor.limitFps).toBe(Number.POSITIVE_INFINITY);
  });

  it('is lowered to what the stages manage under a lasting overload, in even steps, and raised again after it', () => {
    const governor = new RateGovernor();
    run(governor, 0, 120, 30, 14);
    expect(governor.limitFps).toBeGreaterThan(9);
    expect(governor.limitFps).toBeLessThan(21);
    const held = run(governor, 120_000, 10, 30, 1000);
    const gaps = held.slice(1).map((ms, i) => ms - held[i]!);
    // Of pictures 33 ms apart: two or three of them, or four.
    expect(Math.max(...gaps) - Math.min(...gaps)).toBeLessThan(70);
    run(governor, 130_000, 30, 30, 1000);
    expect(governor.limitFps).toBe(Number.POSITIVE_INFINITY);
  });

  it('never stops taking pictures', () => {
    const governor = new RateGovernor();
    const processed = run(governor, 0, 120, 30, 0.2);
    expect(governor.limitFps).toBe(1);
    expect(processed.at(-1)).toBeGreaterThan(100_000);
  });
});
