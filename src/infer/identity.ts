import { hkdfSync } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { ExitCode, UnderstudyError } from '../core/errors.ts';
import type { ModelStore } from './model-store.ts';

export const IDENTITY_SIZE = 64;

const LIMITS = 'generator-identities';
/** Draws until one is within the limit; that three draws of five are makes 40 in vain less likely than 10⁻¹⁵. */
const MOST_DRAWS = 40;

/** `models/generator/identities.json`, made by training.typical for one generator: draws with zᵀFz ≤ limit are served. */
export interface IdentityLimits {
  readonly form: readonly (readonly number[])[];
  readonly limit: number;
}

/** 64 numbers of N(0, 1) from HKDF-SHA256 (RFC 5869) of the session's key. */
function normals(sessionKey: Uint8Array, name: string): Float32Array {
  const bytes = new DataView(hkdfSync('sha256', sessionKey, new Uint8Array(), name, IDENTITY_SIZE * 8));
  const z = new Float32Array(IDENTITY_SIZE);
  for (let i = 0; i < IDENTITY_SIZE; i += 2) {
    // Box–Muller; u1 is never 0.
    const u1 = (bytes.getUint32(i * 8) + 1) / 2 ** 32;
    const u2 = bytes.getUint32(i * 8 + 8) / 2 ** 32;
    const radius = Math.sqrt(-2 * Math.log(u1));
    z[i] = radius * Math.cos(2 * Math.PI * u2);
    z[i + 1] = radius * Math.sin(2 * Math.PI * u2);
  }
  return z;
}

/**
 * Who the understudies are. The same person gets the same one within a session; without the key two sessions cannot be
 * linked. What changes the picture most is smears and blue shadows rather than somebody else, and is not drawn.
 */
export class Identities {
  /** The file's name in models/manifest.json, or nothing. */
  readonly models: readonly string[];
  readonly #limits: IdentityLimits | undefined;
  readonly #truncation: number;

  /**
   * @param limits absent: any draw is served
   * @param truncation factor on the draw (Brock et al. 2019, the truncation trick): nearer to the average face
   */
  constructor(limits?: IdentityLimits, truncation = 1) {
    const { form = [], limit = 0 } = limits ?? {};
    const fits = form.length === IDENTITY_SIZE && form.every((row) => row.length === IDENTITY_SIZE) && limit > 0;
    if (limits && !fits) throw new Error(`a form of ${form.length} rows and the limit ${limit} do not fit`);
    this.models = limits ? [LIMITS] : [];
    this.#limits = limits;
    this.#truncation = truncation;
  }

  /** Those of the generator in the store; somebody else's model has none. @throws UnderstudyError (model) for a damaged file */
  static load(store: ModelStore, truncation: number): Identities {
    if (!store.lists(LIMITS)) return new Identities(undefined, truncation);
    const path = store.verify(LIMITS);
    try {
      return new Identities(JSON.parse(readFileSync(path, 'utf8')) as IdentityLimits, truncation);
    } catch (cause) {
      const message = `the generator's identities ${path} cannot be used: ${(cause as Error).message}`;
      throw new UnderstudyError(ExitCode.model, message, 'run scripts/setup.sh to restore them', { cause });
    }
  }

  /** How much a draw changes the picture: 1 on average. */
  conspicuousness(z: Float32Array): number {
    const form = this.#limits?.form ?? [];
    return form.reduce((sum, row, i) => sum + z[i]! * row.reduce((inner, f, j) => inner + f * z[j]!, 0), 0);
  }

  /** @param draw which of a person's possible understudies: the re-identification gate refuses those that look like the person */
  zFor(sessionKey: Uint8Array, personId: number, draw = 0): Float32Array {
    const name = `identity ${personId}${draw > 0 ? ` draw ${draw}` : ''}`;
    let z = normals(sessionKey, name);
    const limit = this.#limits?.limit ?? Number.POSITIVE_INFINITY;
    for (let again = 1; again < MOST_DRAWS && this.conspicuousness(z) > limit; again++) {
      z = normals(sessionKey, `${name} again ${again}`);
    }
    return z.map((v) => v * this.#truncation);
  }
}
