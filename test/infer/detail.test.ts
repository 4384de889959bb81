import { describe, expect, it } from 'vitest';
import { DetailChoice } from '../../src/infer/detail.ts';

const at = (scale: number) => ({ a: 0, b: -scale, c: 9, d: scale, e: 0, f: 9 });
const wanted = (choice: DetailChoice, track: string, scale: number) =>
  choice.sizeOf(track, at(scale), 256).faceSize === 256;

describe('which faces get detail', () => {
  it('is the large ones, and one at the limit does not go to and fro', () => {
    const choice = new DetailChoice();
    const scales = [0.5, 1.6, 1.79, 1.81, 1.6, 1.52, 1.79, 1.49, 1.6, 1.9];
    const sizes = scales.map((scale) => wanted(choice, '1/1', scale));
    expect(sizes).toEqual([false, false, false, true, true, true, true, false, false, true]);
  });

  it('is kept for each FaceTrack by itself, until its stream ends or many came after it', () => {
    const choice = new DetailChoice();
    for (const track of ['1/1', '1/2', '2/1']) expect(wanted(choice, track, 1.9)).toBe(true);
    expect(wanted(choice, '1/3', 1.6)).toBe(false);
    expect(choice.sizeOf('1/1', undefined, 256)).toEqual({});
    expect(choice.sizeOf('1/1', at(2), undefined)).toEqual({});
    choice.endStream('2/');
    expect(['1/1', '1/2', '2/1'].map((track) => wanted(choice, track, 1.6))).toEqual([true, true, false]);
    for (let i = 0; i < 1000; i++) wanted(choice, `3/${i}`, 1.9);
    expect(wanted(choice, '1/1', 1.6)).toBe(false);
    expect(wanted(choice, '3/999', 1.6)).toBe(true);
  });
});
