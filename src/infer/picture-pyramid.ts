import { Place, Scratch } from '../core/simd/scratch.ts';
import { type PictureFormat, planeLayout } from '../core/video-frame.ts';
import type { PicturePyramid, ReducedPlane } from '../core/vision.ts';

const MAX_LEVEL = 3;

/** A level in the scratch memory, in a place that is kept for the next picture. */
class Level implements ReducedPlane {
  width = 0;
  height = 0;
  reduction = 1;
  readonly #scratch: Scratch;
  readonly #place = new Place();
  #view = new Uint8Array();

  constructor(scratch: Scratch) {
    this.#scratch = scratch;
  }

  get address(): number {
    return this.#place.address;
  }

  /** Asked for anew each time: a view is of no use any more once the memory has grown. */
  get samples(): Uint8Array {
    const { buffer } = this.#scratch;
    const length = this.width * this.height;
    const view = this.#view;
    if (view.buffer !== buffer || view.byteOffset !== this.address || view.length !== length)
      this.#view = new Uint8Array(buffer, this.address, length);
    return this.#view;
  }

  /** The plane's size, and room for it; it holds nothing yet. */
  prepare(width: number, height: number, reduction: number): void {
    // Should there be no room, the level keeps the size that it has room for.
    this.#place.fit(this.#scratch, width * height);
    [this.width, this.height, this.reduction] = [width, height, reduction];
  }
}

/**
 * A picture halved again and again, each sample the mean of four: whatever is reduced later reads few samples. It lies in a memory of its own, where
 * the kernels read it. A level is made when it is first asked for, in a place that is kept from picture to picture.
 */
export class HalvedPlanes implements PicturePyramid {
  readonly scratch = new Scratch();
  #planes: Uint8Array = new Uint8Array();
  #format: PictureFormat | undefined;
  /** Per channel the levels from 0, of which the first `made` belong to this picture. */
  readonly #levels: Level[][] = [[], [], []];
  readonly #made = [0, 0, 0];

  /** Must be called for each new picture, also when it lies in the same memory. */
  load(planes: Uint8Array, format: PictureFormat): this {
    this.#planes = planes;
    this.#format = format;
    this.#made.fill(0);
    return this;
  }

  plane(channel: 0 | 1 | 2, step: number): ReducedPlane {
    const wanted = Math.max(0, Math.min(MAX_LEVEL, Math.floor(Math.log2(step) + 1e-6)));
    const levels = this.#levels[channel]!;
    for (; this.#made[channel]! <= wanted; this.#made[channel]!++) {
      const level = this.#made[channel]!;
      levels[level] ??= new Level(this.scratch);
      if (level === 0) this.#copyWhole(channel, levels[0]!);
      else this.#halve(levels[level - 1]!, levels[level]!);
    }
    return levels[wanted]!;
  }

  #copyWhole(channel: 0 | 1 | 2, to: Level): void {
    const { width, height } = this.#format!;
    const { chromaWidth, chromaHeight, cbOffset, crOffset, byteLength } = planeLayout(width, height);
    const [from, end] = [
      [0, cbOffset],
      [cbOffset, crOffset],
      [crOffset, byteLength],
    ][channel]!;
    if (channel === 0) to.prepare(width, height, 1);
    else to.prepare(chromaWidth, chromaHeight, 1);
    to.samples.set(this.#planes.subarray(from, end));
  }

  #halve(from: Level, to: Level): void {
    to.prepare((from.width + 1) >> 1, (from.height + 1) >> 1, 2 * from.reduction);
    this.scratch.kernels.halve(from.address, from.width, from.height, to.address);
  }
}
