import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { LiveClock } from '../../src/ingest/live/live-clock.ts';

describe('the clock of a live source', () => {
  it('keeps the spacing of the source and never runs backwards, whatever the source’s clock does', () => {
    const frames = fc.array(fc.record({ sourceUs: fc.integer({ min: 0, max: 1e12 }), waitUs: fc.nat(200_000) }));
    fc.assert(
      fc.property(frames, fc.boolean(), (list, steady) => {
        const clock = new LiveClock();
        let [nowUs, last] = [5e6, -1];
        for (const { sourceUs, waitUs } of list) {
          nowUs += waitUs;
          const stamp = clock.map(sourceUs, nowUs, steady);
          expect(stamp).toBeGreaterThan(last);
          last = stamp;
        }
      }),
    );
    const clock = new LiveClock();
    expect([0, 40, 80].map((ms) => clock.map(7e9 + ms * 1000, 1e6 + ms * 1500))).toEqual([0, 40_000, 80_000]);
  });

  it('learns from a steady source’s quickest frame how old the others are', () => {
    const clock = new LiveClock();
    // The first frame is 60 ms late, the third 10 ms, all others arrive at once.
    const late = [60, 0, 10, 0];
    const ages = late.map((lateMs, i) => {
      const nowUs = 1e6 + i * 100_000 + lateMs * 1000;
      const stamp = clock.map(i * 100_000, nowUs, true);
      return (clock.elapsed(nowUs) - stamp) / 1000;
    });
    expect(ages).toEqual([0, 0, 10, 0]);
    // One that may bring its first pictures faster than they were taken keeps their spacing.
    const burst = new LiveClock();
    expect([0, 1, 2].map((i) => burst.map(i * 40_000, 1e6 + i * 1000))).toEqual([0, 40_000, 80_000]);
    // The last of them had just been taken; nothing is ever of the future, and a blank frame comes after what it stands for.
    expect(burst.elapsed(1e6 + 2000)).toBe(80_000);
    expect(burst.map(120_000, 1e6 + 50_000)).toBe(120_000);
    expect(burst.elapsed(1e6 + 50_000) - 120_000).toBe(8000);
    expect(burst.now(1e6 + 90_000)).toBe(168_000);
  });
});
