import type { Affine } from '../core/face-track.ts';
import { Place, type Scratch } from '../core/simd/scratch.ts';
import { AxisTable, COLUMN_UNIT, ROW_UNIT, tapsFor } from './axis-table.ts';

/** Bytes of a number in a table or a result. */
const NUMBER = 4;
/** Columns that are summed up at a time, in four rows. */
const BLOCK = 8;
const LANES = 4;

/** A plane in a scratch memory. */
export interface PlacedPlane {
  readonly address: number;
  readonly width: number;
  readonly height: number;
}

/** Where a sampler keeps its tables and sums in a scratch memory; they grow. */
class Room {
  readonly #scratch: Scratch;
  readonly #places = Array.from({ length: 5 }, () => new Place());

  constructor(scratch: Scratch) {
    this.#scratch = scratch;
  }

  /** The address of place `i`, with at least so many bytes. */
  at(i: number, bytes: number): number {
    return this.#places[i]!.fit(this.#scratch, bytes);
  }

  /** Puts a table at place `i`. */
  put(i: number, table: Int32Array, length: number): number {
    const address = this.at(i, NUMBER * length);
    new Int32Array(this.#scratch.buffer, address, length).set(table.subarray(0, length));
    return address;
  }
}

/**
 * Samples one plane into a fixed size: bilinear, edge samples repeated, averaged over a grid of taps when reducing.
 * Windows that are not turned go a row at a time, which is several times faster than point by point.
 */
export class PlaneSampler {
  readonly width: number;
  readonly height: number;
  readonly #mirrored: boolean;
  /** Along the destination's axes, upright and for a quarter turn. */
  readonly #x: readonly [AxisTable, AxisTable];
  readonly #y: readonly [AxisTable, AxisTable];
  readonly #rooms = new WeakMap<Scratch, Room>();

  /**
   * @param width of the destination, as `height` at least 4
   * @param mirrored left and right of the plane its mirror image, and not its edge, in what is not turned by a quarter
   */
  constructor(width: number, height: number, mirrored = false) {
    this.width = width;
    this.height = height;
    this.#mirrored = mirrored;
    this.#x = [new AxisTable(width, COLUMN_UNIT), new AxisTable(width, ROW_UNIT)];
    this.#y = [new AxisTable(height, ROW_UNIT), new AxisTable(height, COLUMN_UNIT)];
  }

  /**
   * @param s destination sample → plane sample, sample centres at integers
   * @param out address of width·height values 0…255, 32-bit floats, in the plane's memory
   */
  sample(scratch: Scratch, plane: PlacedPlane, s: Affine, out: number): void {
    const { address, width, height } = plane;
    if (s.b === 0 && s.d === 0) {
      const [columns, rows] = [this.#x[0], this.#y[0]];
      columns.prepare(s.a, s.c, width, this.#mirrored);
      rows.prepare(s.e, s.f, height);
      this.#resize(scratch, plane, columns, rows, out, 1, columns.size);
    } else if (s.a === 0 && s.e === 0) {
      // A quarter turn: the plane's rows are the destination's columns.
      const [columns, rows] = [this.#y[1], this.#x[1]];
      columns.prepare(s.b, s.c, width);
      rows.prepare(s.d, s.f, height);
      this.#resize(scratch, plane, columns, rows, out, this.width, 1);
    } else {
      // A bilinear tap spans two samples: taps every other sample are enough.
      const taps = tapsFor(Math.max(Math.hypot(s.a, s.d), Math.hypot(s.b, s.e)) / 2);
      const { a, b, c, d, e, f } = s;
      scratch.kernels.warp(address, width, height, a, b, c, d, e, f, taps, out, this.width, this.height);
    }
  }

  /** @param across from one sample to the next of what `columns` runs along, in `out` @param down and of `rows` */
  #resize(
    scratch: Scratch,
    { address, width }: PlacedPlane,
    columns: AxisTable,
    rows: AxisTable,
    out: number,
    across: number,
    down: number,
  ): void {
    let room = this.#rooms.get(scratch);
    if (!room) {
      room = new Room(scratch);
      this.#rooms.set(scratch, room);
    }
    const sums = room.at(4, NUMBER * LANES * (width + BLOCK));
    scratch.kernels.resize(
      address,
      width,
      room.put(0, columns.start, columns.size),
      room.put(1, columns.weights, columns.size * columns.taps),
      columns.taps,
      columns.size,
      columns.lowest,
      columns.highest,
      room.put(2, rows.start, rows.size),
      room.put(3, rows.weights, rows.size * rows.taps),
      rows.taps,
      rows.size,
      sums,
      out,
      NUMBER * across,
      NUMBER * down,
      1 / (ROW_UNIT * COLUMN_UNIT),
    );
  }
}

/** The same sampling on a chroma plane of 4:2:0, whose samples lie between the luma samples. */
export const onChroma = (s: Affine): Affine => ({
  a: s.a / 2,
  b: s.b / 2,
  c: (s.c - 0.5) / 2,
  d: s.d / 2,
  e: s.e / 2,
  f: (s.f - 0.5) / 2,
});
