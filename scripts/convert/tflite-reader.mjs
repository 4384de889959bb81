// Just enough of TensorFlow Lite's flatbuffer schema (schema.fbs, version 3) to read small convolutional nets.

const TYPES = { 0: Float32Array, 2: Int32Array };

/** A table of a flatbuffer: fields by their number in the schema. */
class Table {
  constructor(view, at) {
    this.view = view;
    this.at = at;
    this.vtable = at - view.getInt32(at, true);
  }
  field(n) {
    const slot = 4 + 2 * n;
    const offset = slot < this.view.getUint16(this.vtable, true) ? this.view.getUint16(this.vtable + slot, true) : 0;
    return offset === 0 ? undefined : this.at + offset;
  }
  int8(n, otherwise = 0) {
    const at = this.field(n);
    return at === undefined ? otherwise : this.view.getInt8(at);
  }
  int32(n, otherwise = 0) {
    const at = this.field(n);
    return at === undefined ? otherwise : this.view.getInt32(at, true);
  }
  follow(n) {
    const at = this.field(n);
    return at === undefined ? undefined : at + this.view.getUint32(at, true);
  }
  table(n) {
    const at = this.follow(n);
    return at === undefined ? undefined : new Table(this.view, at);
  }
  ints(n) {
    const at = this.follow(n);
    if (at === undefined) return [];
    return Array.from({ length: this.view.getUint32(at, true) }, (_, i) => this.view.getInt32(at + 4 + 4 * i, true));
  }
  bytes(n) {
    const at = this.follow(n);
    if (at === undefined) return undefined;
    return new Uint8Array(this.view.buffer, this.view.byteOffset + at + 4, this.view.getUint32(at, true));
  }
  tables(n) {
    const at = this.follow(n);
    if (at === undefined) return [];
    return Array.from({ length: this.view.getUint32(at, true) }, (_, i) => {
      const entry = at + 4 + 4 * i;
      return new Table(this.view, entry + this.view.getUint32(entry, true));
    });
  }
}

/**
 * @param {Uint8Array} bytes a .tflite file
 * @returns {{ tensors: { shape: number[], name: number, data?: Float32Array | Int32Array }[], inputs: number[],
 *   outputs: number[], operators: { code: number, inputs: number[], outputs: number[], options: Table | undefined }[] }}
 */
export function readTflite(bytes) {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const model = new Table(view, view.getUint32(0, true));
  const codes = model.tables(1).map((c) => Math.max(c.int8(0), c.int32(3)));
  const buffers = model.tables(4);
  const graph = model.tables(2)[0];
  const tensors = graph.tables(0).map((t, index) => {
    const Type = TYPES[t.int8(1)];
    const raw = buffers[t.int32(2)]?.bytes(0);
    const data = raw && raw.length > 0 && Type ? new Type(Uint8Array.from(raw).buffer) : undefined;
    return { shape: t.ints(0), type: t.int8(1), name: index, data };
  });
  const operators = graph.tables(3).map((o) => ({
    code: codes[o.int32(0)],
    inputs: o.ints(1),
    outputs: o.ints(2),
    options: o.table(4),
  }));
  return { tensors, inputs: graph.ints(1), outputs: graph.ints(2), operators };
}
