const MAX_SAMPLES = 61;
/** Until there are enough samples every frame counts, then one every 200 ms: about 12 s of the face. */
const QUICK_SAMPLES = 15;
const SPACING_US = 200_000;

/** Running median of a face's points in the canonical crop: its shape without what it does at the moment. */
export class NeutralShape {
  readonly #samples: Float32Array[] = [];
  #nextSlot = 0;
  #lastUs = -Infinity;
  #median: Float32Array | undefined;

  /** 136 numbers, canonical-crop pixels; undefined before the first sample. */
  get points(): Float32Array | undefined {
    return this.#median;
  }

  add(points: Float32Array, timestampUs: number): void {
    if (this.#samples.length >= QUICK_SAMPLES && Math.abs(timestampUs - this.#lastUs) < SPACING_US) return;
    this.#lastUs = timestampUs;
    const slot = this.#samples[this.#nextSlot] ?? new Float32Array(136);
    slot.set(points.subarray(0, 136));
    this.#samples[this.#nextSlot] = slot;
    this.#nextSlot = (this.#nextSlot + 1) % MAX_SAMPLES;
    this.#median ??= new Float32Array(136);
    const column = new Float32Array(this.#samples.length);
    const middle = column.length >> 1;
    for (let i = 0; i < 136; i++) {
      for (let s = 0; s < column.length; s++) column[s] = this.#samples[s]![i]!;
      column.sort();
      this.#median[i] = column.length % 2 ? column[middle]! : (column[middle - 1]! + column[middle]!) / 2;
    }
  }
}
