import { describe, expect, it } from 'vitest';
import { DetailChoice } from '../../src/infer/detail.ts';

const at = (scale: number) => ({ a: 0, b: -scale, c: 9, d: scale, e: 0, f: 9 });
const wanted = (choice: DetailChoice, track: string, scale: number) =>
  choice.sizeOf(track, at(scale), 256).faceSize === 256;

describe('which faces get detail', () => {
  it('is the large ones, and one at the limit does not go to and fro', () => {
    const choice = new DetailChoice();
    const scales = [0.5, 1.2, 1.29, 1.31, 1.2, 1.12, 1.29, 1.09, 1.2, 1.4];
    const sizes = scales.map((scale) => wanted(choice, '1/1', scale));
    expect(sizes).toEqual([false, false, false, true, true, true, true, false, false, true]);
  });

  it('is kept for each FaceTrack by itself, until its stream ends or many came after it', () => {
    const choice = new DetailChoice();
    for (const track of ['1/1', '1/2', '2/1']) expect(wanted(choice, track, 1.5)).toBe(true);
    expect(wanted(choice, '1/3', 1.2)).toBe(false);
    expect(choice.sizeOf('1/1', undefined, 256)).toEqual({});
    expect(choice.sizeOf('1/1', at(2), undefined)).toEqual({});
    choice.endStream('2/');
    expect(['1/1', '1/2', '2/1'].map((track) => wanted(choice, track, 1.2))).toEqual([true, true, false]);
    for (let i = 0; i < 1000; i++) wanted(choice, `3/${i}`, 1.5);
    expect(wanted(choice, '1/1', 1.2)).toBe(false);
    expect(wanted(choice, '3/999', 1.2)).toBe(true);
  });
});
