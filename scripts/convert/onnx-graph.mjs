// Writes ONNX (opset 12) without a protobuf library: only what the converters beside this file need.

const FLOAT = 1;
const INT64 = 7;

function varint(value) {
  const bytes = [];
  let v = BigInt.asUintN(64, BigInt(value));
  do {
    const low = Number(v & 127n);
    v >>= 7n;
    bytes.push(v > 0n ? low | 128 : low);
  } while (v > 0n);
  return Buffer.from(bytes);
}
const number = (field, value) => Buffer.concat([varint(field << 3), varint(value)]);
const message = (field, body) => Buffer.concat([varint((field << 3) | 2), varint(body.length), body]);
const text = (field, value) => message(field, Buffer.from(value, 'utf8'));

function attribute(name, value) {
  const parts = [text(1, name)];
  if (typeof value === 'string') parts.push(text(4, value), number(20, 3));
  else if (Array.isArray(value)) parts.push(...value.map((v) => number(8, v)), number(20, 7));
  else parts.push(number(3, value), number(20, 2));
  return message(5, Buffer.concat(parts));
}

function tensor(name, data, dims) {
  const raw = Buffer.from(data.buffer, data.byteOffset, data.byteLength);
  const type = data instanceof BigInt64Array ? INT64 : FLOAT;
  return Buffer.concat([...dims.map((d) => number(1, d)), number(2, type), text(8, name), message(9, raw)]);
}

function valueInfo(name, dims) {
  const shape = dims.map((d) => message(1, typeof d === 'string' ? text(2, d) : number(1, d)));
  const type = Buffer.concat([number(1, FLOAT), message(2, Buffer.concat(shape))]);
  return Buffer.concat([text(1, name), message(2, message(1, type))]);
}

/** A graph that is built from its inputs to its outputs; every value has a name. */
export class OnnxGraph {
  #nodes = [];
  #initializers = [];
  #inputs = [];
  #outputs = [];
  #count = 0;

  /** @param dims numbers, or a string for a free dimension */
  input(name, dims) {
    this.#inputs.push(message(11, valueInfo(name, dims)));
    return name;
  }

  /** @param {Float32Array | BigInt64Array} data @returns its name */
  constant(data, dims) {
    const name = `c${this.#count++}`;
    this.#initializers.push(message(5, tensor(name, data, dims)));
    return name;
  }

  /** @returns the name of the node's one output */
  node(operator, inputs, attributes = {}, output = `v${this.#count++}`) {
    const body = [
      ...inputs.map((i) => text(1, i)),
      text(2, output),
      text(4, operator),
      ...Object.entries(attributes).map(([k, v]) => attribute(k, v)),
    ];
    this.#nodes.push(message(1, Buffer.concat(body)));
    return output;
  }

  /** Gives a value its outward name. */
  output(value, name, dims) {
    this.node('Identity', [value], {}, name);
    this.#outputs.push(message(12, valueInfo(name, dims)));
  }

  bytes() {
    const graph = Buffer.concat([
      ...this.#nodes,
      text(2, 'understudy'),
      ...this.#initializers,
      ...this.#inputs,
      ...this.#outputs,
    ]);
    return Buffer.concat([number(1, 7), text(2, 'understudy'), message(7, graph), message(8, number(2, 12))]);
  }
}

/** Reorders a tensor's axes. */
export function transposed(data, dims, order) {
  const out = new Float32Array(data.length);
  const to = order.map((axis) => dims[axis]);
  const strides = dims.map((_, i) => dims.slice(i + 1).reduce((a, b) => a * b, 1));
  const index = new Array(dims.length).fill(0);
  for (let at = 0; at < out.length; at++) {
    let from = 0;
    for (let k = 0; k < order.length; k++) from += index[k] * strides[order[k]];
    out[at] = data[from];
    for (let k = order.length - 1; k >= 0; k--) {
      if (++index[k] < to[k]) break;
      index[k] = 0;
    }
  }
  return out;
}
