import fc from 'fast-check';
import { expect, it } from 'vitest';
import { absSendTime, ntpOf } from '../../src/core/webrtc/ntp.ts';

it('NTP time is seconds since 1900 and a binary fraction', () => {
  expect(ntpOf(500)).toBe((2_208_988_800n << 32n) | 0x80000000n);
  // 2036-02-07, where the seconds overflow, is none of ours.
  fc.assert(
    fc.property(fc.double({ min: 1.6e12, max: 2.08e12, noNaN: true }), (ms) => {
      const seconds = Number(ntpOf(ms)) / 2 ** 32 - 2_208_988_800;
      expect(Math.abs(seconds * 1000 - ms)).toBeLessThan(2e-3);
    }),
  );
});

it('abs-send-time grows by 2¹⁸ a second', () => {
  const at = (ms: number) => absSendTime(ntpOf(ms)).readUIntBE(0, 3);
  const start = 1_790_000_000_000;
  for (const ms of [1, 20, 250, 999])
    expect(Math.abs(at(start + ms) - at(start) - (ms / 1000) * 2 ** 18)).toBeLessThan(2);
});
