import { readFileSync } from 'node:fs';
import { ExitCode, UnderstudyError } from '../errors.ts';

const PAGE = 65_536;
/** Vectors are read and written beyond the end of a row. */
const MARGIN = 64;

/** What `kernels/` exports: numbers in, and addresses are bytes from the start of the memory. */
export interface Kernels {
  drawSpan(...from: Numbers<8>): void;
  toTexels(...from: Numbers<11>): void;
  blendLumaRow(...from: Numbers<4>): void;
  blendChromaRow(...from: Numbers<5>): void;
  halve(...from: Numbers<4>): void;
  resize(...from: Numbers<17>): void;
  warp(...from: Numbers<13>): void;
  toRgb(...from: Numbers<13>): void;
  bytesToRgb(...from: Numbers<14>): void;
  toRgbClipped(...from: Numbers<13>): void;
  toGray(...from: Numbers<4>): void;
  countTones(...from: Numbers<6>): number;
  lookUp(...from: Numbers<6>): void;
  toRgba(...from: Numbers<3>): void;
  moments(...from: Numbers<3>): void;
  softened(...from: Numbers<5>): void;
  interleave(...from: Numbers<4>): void;
  largest(...from: Numbers<7>): void;
  meanLuma(...from: Numbers<5>): void;
  blendLuma(...from: Numbers<7>): void;
}

type Numbers<N extends number, List extends number[] = []> = List['length'] extends N
  ? List
  : Numbers<N, [...List, number]>;

let compiled: WebAssembly.Module | undefined;

function load(): WebAssembly.Module {
  const url = new URL('./kernels.wasm', import.meta.url);
  try {
    return new WebAssembly.Module(readFileSync(url));
  } catch (error) {
    throw new UnderstudyError(
      ExitCode.internal,
      `the compiled kernels (${url.pathname}) cannot be loaded: ${(error as Error).message}`,
      'run npm run build',
      { cause: error },
    );
  }
}

/**
 * The loops over pixels in WebAssembly's vector instructions, three to five times as fast as in JavaScript, and a memory of their own that they work in.
 * @throws UnderstudyError(internal) when they were not built
 */
export class Scratch {
  readonly kernels: Kernels;
  readonly #memory: WebAssembly.Memory;
  #end = 0;

  constructor() {
    compiled ??= load();
    this.#memory = new WebAssembly.Memory({ initial: 1 });
    const { exports } = new WebAssembly.Instance(compiled, { env: { memory: this.#memory } });
    this.kernels = exports as unknown as Kernels;
  }

  /** Of the whole memory; another one once it has grown. */
  get buffer(): ArrayBuffer {
    return this.#memory.buffer;
  }

  /** Forgets what was laid out. */
  clear(): void {
    this.#end = MARGIN;
  }

  /** @returns the address of so many bytes, on a vector's boundary; views made before may be of no use any more */
  take(bytes: number): number {
    const at = this.#end;
    const end = Math.ceil((at + bytes + MARGIN) / 16) * 16;
    const missing = end - this.#memory.buffer.byteLength;
    // Before anything is noted: where there is no more memory, nothing has been laid out.
    if (missing > 0) this.#memory.grow(Math.ceil(missing / PAGE));
    this.#end = end;
    return at;
  }
}

/** A place for things of changing size. */
export class Place {
  address = 0;
  #bytes = 0;

  /**
   * @returns its address, with room for so many bytes at least; what was in it is gone where it had to move.
   * Rooms double, because those that have become too small are never used again.
   */
  fit(scratch: Scratch, bytes: number): number {
    if (bytes <= this.#bytes) return this.address;
    const room = 2 ** Math.ceil(Math.log2(bytes));
    this.address = scratch.take(room);
    this.#bytes = room;
    return this.address;
  }
}
