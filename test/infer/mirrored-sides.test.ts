import fc from 'fast-check';
import { expect, it } from 'vitest';
import { planeLayout } from '../../src/core/video-frame.ts';
import { seededRandom } from '../../src/evaluate/metrics/statistics.ts';
import { PictureSampler, valuesOf, windowSampling } from '../../src/infer/sample.ts';

const [WIDTH, HEIGHT] = [48, 32];
const colour = { matrix: 'bt601', range: 'full' } as const;

/** Noise, and the same with its mirror image on both sides. */
function pictures(seed: number) {
  const random = seededRandom(seed);
  const planes = (width: number) => new Uint8Array(planeLayout(width, HEIGHT).byteLength);
  const [one, three] = [planes(WIDTH), planes(3 * WIDTH)];
  for (const i of one.keys()) one[i] = Math.floor(256 * random());
  let [from, to] = [0, 0];
  for (const [width, height] of [
    [WIDTH, HEIGHT],
    [WIDTH / 2, HEIGHT / 2],
    [WIDTH / 2, HEIGHT / 2],
  ] as const) {
    for (let y = 0; y < height; y++) {
      const row = one.subarray(from + y * width, from + (y + 1) * width);
      const turned = Uint8Array.from(row).reverse();
      three.set(turned, to + 3 * y * width);
      three.set(row, to + 3 * y * width + width);
      three.set(turned, to + 3 * y * width + 2 * width);
    }
    from += width * height;
    to += 3 * width * height;
  }
  return {
    one: { planes: one, format: { width: WIDTH, height: HEIGHT, colour } },
    three: { planes: three, format: { width: 3 * WIDTH, height: HEIGHT, colour } },
  };
}

it('sees left and right of a picture what would be there in a mirror', () => {
  const sampler = new PictureSampler(20, 15, true);
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 99 }),
      fc.integer({ min: -WIDTH, max: WIDTH }),
      fc.integer({ min: 8, max: 2 * WIDTH }),
      fc.constantFrom(0, 2),
      (seed, x, width, quarterTurns) => {
        const { one, three } = pictures(seed);
        const window = {
          x,
          y: 3,
          width: Math.min(width, 2 * WIDTH - x),
          height: 20,
          quarterTurns: quarterTurns as 0 | 2,
        };
        const sampled = (picture: typeof one, from: number) =>
          valuesOf(sampler.rgbUnclipped(picture, windowSampling({ ...window, x: from }, 20, 15), 0, 1)).slice();
        const [a, b] = [sampled(one, x), sampled(three, x + WIDTH)];
        for (const i of a.keys()) expect(Math.abs(a[i]! - b[i]!)).toBeLessThan(1.5);
      },
    ),
    { numRuns: 60 },
  );
});
