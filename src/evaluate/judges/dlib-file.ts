/** A cascade of regression forests (Kazemi & Sullivan 2014) as dlib's `shape_predictor` stores it. */
export interface ShapePredictor {
  /** Points in the unit square of the box, x y pairs. */
  readonly meanShape: Float32Array;
  readonly stages: readonly Stage[];
}

export interface Stage {
  readonly treeCount: number;
  readonly splitsPerTree: number;
  /** treeCount × splitsPerTree: the two pixels compared, and the difference above which the left child follows. */
  readonly first: Uint16Array;
  readonly second: Uint16Array;
  readonly threshold: Float32Array;
  /** treeCount × (splitsPerTree + 1) × 136. */
  readonly leaves: Float32Array;
  /** Where pixels are read: beside which point, and how far off in the unit square. */
  readonly anchors: Uint16Array;
  readonly deltas: Float32Array;
}

/** dlib's portable serialization: integers as a length byte with a sign bit, floats as mantissa and exponent. */
class Reader {
  readonly #bytes: Uint8Array;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  int(): number {
    const head = this.#bytes[this.#at++]!;
    const size = head & 0x0f;
    if (size === 0 || size > 8) throw new Error('not a file of dlib');
    let value = 0;
    let factor = 1;
    for (let i = 0; i < size; i++) {
      value += this.#bytes[this.#at++]! * factor;
      factor *= 256;
    }
    return head & 0x80 ? -value : value;
  }

  float(): number {
    const mantissa = this.int();
    return mantissa * 2 ** this.int();
  }

  /** A matrix of one column; its sizes are stored negated. */
  column(out?: Float32Array, offset = 0): Float32Array {
    const rows = Math.abs(this.int());
    this.int();
    const values = out ?? new Float32Array(rows);
    for (let i = 0; i < rows; i++) values[offset + i] = this.float();
    return values;
  }
}

/** @throws Error when the bytes are something else */
export function readShapePredictor(bytes: Uint8Array): ShapePredictor {
  const reader = new Reader(bytes);
  if (reader.int() !== 1) throw new Error('not a shape predictor of dlib');
  const meanShape = reader.column();
  const forests = Array.from({ length: reader.int() }, () => readForest(reader, meanShape.length));
  const anchors = Array.from({ length: reader.int() }, () =>
    Uint16Array.from({ length: reader.int() }, () => reader.int()),
  );
  const deltas = Array.from({ length: reader.int() }, () => {
    const out = new Float32Array(2 * reader.int());
    for (let i = 0; i < out.length; i++) out[i] = reader.float();
    return out;
  });
  return { meanShape, stages: forests.map((f, i) => ({ ...f, anchors: anchors[i]!, deltas: deltas[i]! })) };
}

function readForest(reader: Reader, size: number): Omit<Stage, 'anchors' | 'deltas'> {
  const treeCount = reader.int();
  let forest: Omit<Stage, 'anchors' | 'deltas'> | undefined;
  for (let t = 0; t < treeCount; t++) {
    const splitsPerTree = reader.int();
    forest ??= {
      treeCount,
      splitsPerTree,
      first: new Uint16Array(treeCount * splitsPerTree),
      second: new Uint16Array(treeCount * splitsPerTree),
      threshold: new Float32Array(treeCount * splitsPerTree),
      leaves: new Float32Array(treeCount * (splitsPerTree + 1) * size),
    };
    for (let s = 0; s < splitsPerTree; s++) {
      const at = t * splitsPerTree + s;
      forest.first[at] = reader.int();
      forest.second[at] = reader.int();
      forest.threshold[at] = reader.float();
    }
    const leaves = reader.int();
    for (let l = 0; l < leaves; l++) reader.column(forest.leaves, (t * leaves + l) * size);
  }
  return forest!;
}
