import fc from 'fast-check';
import { expect, it } from 'vitest';
import { copyToShared } from '../../src/core/shared-copy.ts';

it('copies what set copies, wherever both lie', () => {
  const place = fc.nat(19);
  fc.assert(
    fc.property(place, place, fc.constantFrom(0, 1, 13, 65_535, 65_537, 140_000), (from, at, length) => {
      const bytes = Uint8Array.from({ length: from + length }, (_, i) => (i * 2654435761) >>> 24).subarray(from);
      const [copied, wanted] = [0, 1].map(() => new Uint8Array(new SharedArrayBuffer(length + 40), 3).fill(9));
      copyToShared(copied!, bytes, at);
      wanted!.set(bytes, at);
      expect(Buffer.compare(copied!, wanted!)).toBe(0);
    }),
    { numRuns: 60 },
  );
});
