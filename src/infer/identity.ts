import { hkdfSync } from 'node:crypto';

export const IDENTITY_SIZE = 64;

/**
 * The understudy of a person: 64 numbers of N(0, truncation²) from HKDF-SHA256 (RFC 5869) of the session's key. The same person
 * gets the same understudy within a session; without the key two sessions cannot be linked.
 * @param truncation as in Brock et al. 2019: what is far out in the space of identities draws marks on the face
 * @param draw which of a person's possible understudies: the re-identification gate refuses those that look like the person
 */
export function zFor(sessionKey: Uint8Array, personId: number, draw = 0, truncation = 1): Float32Array {
  const suffix = draw > 0 ? ` draw ${draw}` : '';
  const bytes = new DataView(
    hkdfSync('sha256', sessionKey, new Uint8Array(), `identity ${personId}${suffix}`, IDENTITY_SIZE * 8),
  );
  const z = new Float32Array(IDENTITY_SIZE);
  for (let i = 0; i < IDENTITY_SIZE; i += 2) {
    // Box–Muller; u1 is never 0.
    const u1 = (bytes.getUint32(i * 8) + 1) / 2 ** 32;
    const u2 = bytes.getUint32(i * 8 + 8) / 2 ** 32;
    const radius = truncation * Math.sqrt(-2 * Math.log(u1));
    z[i] = radius * Math.cos(2 * Math.PI * u2);
    z[i + 1] = radius * Math.sin(2 * Math.PI * u2);
  }
  return z;
}
