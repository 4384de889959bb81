import { readFileSync } from 'node:fs';
import { ExitCode, UnderstudyError } from '../core/errors.ts';
import { keyedNormals, keyedOrder } from '../core/keyed-random.ts';
import type { ModelStore } from './model-store.ts';

export const IDENTITY_SIZE = 64;

const CAST = 'generator-identities';
/** Places between two persons' first understudies in the order of the cast: the gate tries 12 for one person. */
const PLACES = 12;
/** The gate compares three that pass. */
const ROUND_SHIFT = 4;

/** `models/generator/identities.json`, made by training.cast for one generator: the `z` of people whom it draws well. */
export interface Cast {
  readonly people: readonly (readonly number[])[];
}

/**
 * Who the understudies are. The same person gets the same one within a session; without the key two sessions cannot be
 * linked. Half of what N(0, I) holds are smears: who is served was chosen beforehand (training/cast.py).
 */
export class Identities {
  /** The file's name in models/manifest.json, or nothing. */
  readonly models: readonly string[];
  readonly #cast: Cast | undefined;
  readonly #truncation: number;
  #shuffled: { readonly key: Uint8Array; readonly order: Uint32Array } | undefined;

  /**
   * @param cast absent: anybody of N(0, I)
   * @param truncation factor on `z` (Brock et al. 2019, the truncation trick): nearer to the average face
   */
  constructor(cast?: Cast, truncation = 1) {
    const people = cast?.people ?? [];
    const fits = people.length >= PLACES && people.every((z) => z.length === IDENTITY_SIZE && z.every(Number.isFinite));
    if (cast && !fits)
      throw new Error(
        `it holds ${people.length} people, where ${PLACES} and more of ${IDENTITY_SIZE} numbers each are needed`,
      );
    this.models = cast ? [CAST] : [];
    this.#cast = cast;
    this.#truncation = truncation;
  }

  /** Those of the generator in the store; somebody else's model has none. @throws UnderstudyError (model) for a damaged file */
  static load(store: ModelStore, truncation: number): Identities {
    if (!store.lists(CAST)) return new Identities(undefined, truncation);
    const path = store.verify(CAST);
    try {
      return new Identities(JSON.parse(readFileSync(path, 'utf8')) as Cast, truncation);
    } catch (cause) {
      const message = `the generator's identities ${path} cannot be used: ${(cause as Error).message}`;
      throw new UnderstudyError(ExitCode.model, message, 'run scripts/setup.sh to restore them', { cause });
    }
  }

  /** @param draw which of a person's possible understudies: the re-identification gate refuses those that look like the person */
  zFor(sessionKey: Uint8Array, personId: number, draw = 0): Float32Array {
    const z = this.#cast
      ? this.#member(this.#cast, sessionKey, PLACES * personId, draw)
      : keyedNormals(sessionKey, `identity ${personId} draw ${draw}`, IDENTITY_SIZE);
    return Float32Array.from(z, (v) => v * this.#truncation);
  }

  #member({ people }: Cast, key: Uint8Array, place: number, draw: number): readonly number[] {
    // Somebody in the next round meets the people of the one before in another order: the first few are the likeliest to be taken.
    const round = Math.floor(place / people.length);
    return people[this.#order(key, people.length)[(place + ROUND_SHIFT * round + draw) % people.length]!]!;
  }

  /** Drawn one by one, two of a session's people would now and then be the same. */
  #order(key: Uint8Array, count: number): Uint32Array {
    if (this.#shuffled?.key !== key) this.#shuffled = { key, order: keyedOrder(key, 'identities', count) };
    return this.#shuffled.order;
  }
}
