import { Place, Scratch } from '../core/simd/scratch.ts';

/** A face whose values vary less than this (standard deviation, [−1, 1]) is no face. */
const MIN_DEVIATION = 0.02;

/** What a network draws, planar RGB of [−1, 1], looked at and turned into pixels. */
export class FacePixels {
  readonly #scratch = new Scratch();
  readonly #sums = this.#scratch.take(16);
  readonly #planes = new Place();
  readonly #pixels = new Place();

  /** False for flat colour, and for NaN, too. */
  isFace(face: Float32Array): boolean {
    this.#put(face);
    return this.#varies(face.length);
  }

  /** @param out RGBA; rounded and clamped, NaN becomes 0 @returns whether it is a face (`isFace`) */
  write(face: Float32Array, out: Uint8Array): boolean {
    this.#put(face);
    const n = face.length / 3;
    const at = this.#pixels.fit(this.#scratch, 4 * n);
    this.#scratch.kernels.toRgba(this.#planes.address, n, at);
    out.set(new Uint8Array(this.#scratch.buffer, at, 4 * n));
    return this.#varies(face.length);
  }

  #varies(length: number): boolean {
    this.#scratch.kernels.moments(this.#planes.address, length, this.#sums);
    const [sum, squares] = new Float64Array(this.#scratch.buffer, this.#sums, 2) as unknown as [number, number];
    const mean = sum / length;
    const variance = squares / length - mean ** 2;
    return Number.isFinite(variance) && variance > MIN_DEVIATION ** 2;
  }

  #put(face: Float32Array): void {
    const at = this.#planes.fit(this.#scratch, 4 * face.length);
    new Float32Array(this.#scratch.buffer, at, face.length).set(face);
  }
}
