import { concat, lastValueFrom, of, Subject, throwError, toArray } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { CreditGate } from '../../src/rx/credit-gate.ts';
import { keepLatest } from '../../src/rx/keep-latest.ts';
import { LookAhead } from '../../src/rx/look-ahead.ts';
import { orderedMap } from '../../src/rx/ordered-map.ts';

const later = <T>(value: T, ms: number) => new Promise<T>((r) => setTimeout(() => r(value), ms));

describe('orderedMap', () => {
  it('overlaps work and keeps the order', async () => {
    let running = 0;
    let most = 0;
    const out = await lastValueFrom(
      of(5, 1, 4, 2, 3).pipe(
        orderedMap({
          concurrency: 3,
          project: async (n) => {
            most = Math.max(most, ++running);
            await later(0, n * 4);
            running--;
            return n;
          },
        }),
        toArray(),
      ),
    );
    expect(out).toEqual([5, 1, 4, 2, 3]);
    expect(most).toBe(3);
  });

  it('emits everything before a failed input, then fails', async () => {
    const seen: number[] = [];
    const failed = await new Promise<unknown>((resolve) => {
      concat(
        of(1, 2),
        throwError(() => new Error('truncated')),
      )
        .pipe(orderedMap({ concurrency: 2, project: (n: number) => later(n, 5) }))
        .subscribe({ next: (n) => seen.push(n), error: resolve });
    });
    expect(seen).toEqual([1, 2]);
    expect((failed as Error).message).toBe('truncated');
  });

  it('hands back what it holds when torn down', async () => {
    const inputs: number[] = [];
    const results: number[] = [];
    const subscription = of(1, 2, 3)
      .pipe(
        orderedMap({
          concurrency: 1,
          project: (n) => later(n, 5),
          discardInput: (n) => inputs.push(n),
          discardResult: (n) => results.push(n),
        }),
      )
      .subscribe();
    subscription.unsubscribe();
    await later(0, 20);
    expect(inputs).toEqual([2, 3]);
    expect(results).toEqual([1]);
  });
});

describe('LookAhead', () => {
  it('lets a later value change an earlier one, and flushes at the end', async () => {
    const ahead = new LookAhead<{ n: number; marked: boolean }>(2);
    const source = new Subject<{ n: number; marked: boolean }>();
    const out: string[] = [];
    source.pipe(ahead.operator()).subscribe((v) => out.push(`${v.n}${v.marked ? '!' : ''}`));
    for (let n = 0; n < 4; n++) {
      if (n === 3) for (const held of ahead.window) held.marked = true;
      source.next({ n, marked: false });
    }
    source.complete();
    expect(out).toEqual(['0', '1!', '2!', '3']);
  });
});

describe('keepLatest', () => {
  it('drops the older of two waiting values and says so', async () => {
    const dropped: number[] = [];
    const out = await lastValueFrom(
      of(1, 2, 3, 4).pipe(
        keepLatest(
          (n) => later(n, 5),
          (n) => dropped.push(n),
        ),
        toArray(),
      ),
    );
    expect(out).toEqual([1, 4]);
    expect(dropped).toEqual([2, 3]);
  });
});

describe('CreditGate', () => {
  it('never hands one credit to two holders', async () => {
    const gate = new CreditGate(1);
    const first = await gate.take();
    const second = gate.take();
    expect(gate.tryTake()).toBeUndefined();
    gate.give(first);
    expect(await second).toBe(first);
  });
});
