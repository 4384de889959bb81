import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { OverloadWatch } from '../../src/pipeline/overload-watch.ts';

const LOOK_MS = 10_000;

describe('the watch over an overload', () => {
  const counts = { received: 0, dropped: 0, thinned: 0 };
  const said: string[] = [];
  let watch: OverloadWatch;
  beforeEach(() => {
    vi.useFakeTimers();
    Object.assign(counts, { received: 0, dropped: 0, thinned: 0 });
    said.length = 0;
    watch = new OverloadWatch({ counts }, (sentence) => void said.push(sentence));
  });
  afterEach(() => {
    watch.close();
    vi.useRealTimers();
  });

  /** What happens until the next look. @returns what was said of it */
  const pass = (received: number, dropped: number, thinned = 0) => {
    counts.received += received;
    counts.dropped += dropped;
    counts.thinned += thinned;
    const { length } = said;
    vi.advanceTimersByTime(LOOK_MS);
    return said.slice(length);
  };

  it('says nothing while fewer than a tenth of the pictures are dropped, or none come', () => {
    expect(pass(300, 0)).toEqual([]);
    expect(pass(300, 29)).toEqual([]);
    expect(pass(0, 0)).toEqual([]);
    expect(watch.detail).toBe(true);
  });

  it('tells the rates of each ten seconds of overload, not those since the start', () => {
    pass(300, 0);
    expect(pass(300, 30)).toEqual(['overload: 30.0 pictures a second arrive, 27.0 are processed, the rest is dropped']);
    expect(pass(300, 0)).toEqual([]);
  });

  it('says that the rate was lowered where pictures were left out for it since the last look', () => {
    expect(pass(300, 150)[0]).toMatch(/15\.0 are processed, the rest is dropped$/);
    expect(pass(300, 150, 100)[0]).toMatch(/15\.0 are processed; the rate has been lowered/);
  });

  it('leaves detail out when the overload lasts, says so, and says when it is back', () => {
    pass(300, 150);
    expect(watch.detail).toBe(true);
    expect(pass(300, 150)[0]).toMatch(/; faces are drawn without detail$/);
    expect(watch.detail).toBe(false);
    const later = Array.from({ length: 6 }, () => pass(300, 0)).flat();
    expect(later).toEqual(['the overload is over: large faces are drawn in detail again']);
    expect(watch.detail).toBe(true);
  });

  it('takes a pause of the source neither for ease nor for overload', () => {
    pass(300, 150);
    pass(0, 0);
    pass(300, 150);
    expect(watch.detail).toBe(false);
    for (let i = 0; i < 20; i++) pass(0, 0);
    expect(watch.detail).toBe(false);
  });

  it('is silent once it is closed', () => {
    watch.close();
    expect(pass(300, 300)).toEqual([]);
  });
});
