import { describe, expect, it } from 'vitest';
import { DetailUnderLoad } from '../../src/pipeline/detail-under-load.ts';

/** What is wanted after each of so many looks. */
const looks = (detail: DetailUnderLoad, overloaded: boolean, count: number) =>
  Array.from({ length: count }, () => {
    detail.look(overloaded);
    return detail.wanted;
  });

describe('detail under load', () => {
  it('is left out when the overload lasts, and not for a moment of it', () => {
    const detail = new DetailUnderLoad();
    expect(looks(detail, true, 1)).toEqual([true]);
    expect(looks(detail, false, 1)).toEqual([true]);
    expect(looks(detail, true, 3)).toEqual([true, false, false]);
  });

  it('comes back at ease, later each time that was too early', () => {
    const detail = new DetailUnderLoad();
    const atEase = () => {
      looks(detail, true, 2);
      return looks(detail, false, 200).indexOf(true) + 1;
    };
    expect([1, 2, 3, 4, 5, 6].map(atEase)).toEqual([6, 12, 24, 48, 96, 96]);
  });

  it('does not come back while single looks are overloaded', () => {
    const detail = new DetailUnderLoad();
    looks(detail, true, 2);
    for (let i = 0; i < 20; i++) looks(detail, i % 5 === 0, 1);
    expect(detail.wanted).toBe(false);
  });
});
