/** Seconds from 1900, where NTP's time begins, to 1970. */
const NTP_EPOCH_S = 2_208_988_800;

/** 64-bit NTP time (RFC 5905): seconds since 1900, and 2⁻³² seconds. werift's own writes decimals where the fraction belongs. */
export function ntpOf(epochMs: number): bigint {
  const seconds = Math.floor(epochMs / 1000);
  const fraction = Math.floor(((epochMs - 1000 * seconds) / 1000) * 2 ** 32);
  return (BigInt(seconds + NTP_EPOCH_S) << 32n) | BigInt(Math.min(fraction, 2 ** 32 - 1));
}

/** The 24 bits of abs-send-time: six of the seconds, eighteen of the fraction. */
export function absSendTime(ntp: bigint): Buffer {
  const bytes = Buffer.alloc(3);
  bytes.writeUIntBE(Number((ntp >> 14n) & 0xffffffn), 0, 3);
  return bytes;
}
