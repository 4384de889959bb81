/** Just enough of protobuf and of ONNX's messages (onnx.proto) to add a loop without an end to a network. */
type Field = readonly [number: number, value: number | bigint | string | Uint8Array];

function varint(value: bigint): number[] {
  const bytes: number[] = [];
  for (; value > 127n; value >>= 7n) bytes.push(Number(value & 127n) | 128);
  return [...bytes, Number(value)];
}

function message(...fields: Field[]): Uint8Array {
  return Buffer.concat(
    fields.map(([number, value]) => {
      const tag = BigInt(number) << 3n;
      if (typeof value === 'number' || typeof value === 'bigint') {
        return Buffer.from([...varint(tag), ...varint(BigInt(value))]);
      }
      const bytes = Buffer.from(value as Uint8Array);
      return Buffer.concat([Buffer.from([...varint(tag | 2n), ...varint(BigInt(bytes.length))]), bytes]);
    }),
  );
}

const [FLOAT, INT64, BOOL] = [1, 7, 9];
const node = (type: string, inputs: string[], output: string, ...attributes: Uint8Array[]) =>
  message(
    ...inputs.map((name): Field => [1, name]),
    [2, output],
    [3, `hang-${type}-${output}`],
    [4, type],
    ...attributes.map((attribute): Field => [5, attribute]),
  );
const integer = (name: string, value: number) => message([1, name], [3, value], [20, 2]);
const graph = (name: string, value: Uint8Array) => message([1, name], [6, value], [20, 5]);
const scalar = (name: string, type: number) =>
  message([1, name], [2, message([1, message([1, type], [2, message()])])]);
const constant = (name: string, type: number, bytes: Uint8Array) => message([2, type], [8, name], [9, bytes]);

/**
 * The network with a loop of 2^62 turns added, entered when the mean of an input is above a threshold. The call then comes
 * back in some centuries: what a hung driver or a fault in a native library looks like.
 */
export function hangingAbove(network: Buffer, input: string, threshold: number): Buffer {
  const body = message(
    [1, node('Identity', ['hang_go'], 'hang_goes_on')],
    [1, node('Identity', ['hang_value'], 'hang_same')],
    [2, 'hang_body'],
    [11, scalar('hang_turn', INT64)],
    [11, scalar('hang_go', BOOL)],
    [11, scalar('hang_value', FLOAT)],
    [12, scalar('hang_goes_on', BOOL)],
    [12, scalar('hang_same', FLOAT)],
  );
  const limit = Buffer.from(new Float32Array([threshold]).buffer);
  const turns = Buffer.from(new BigInt64Array([2n ** 62n]).buffer);
  const added = message(
    [1, node('ReduceMean', [input], 'hang_mean', integer('keepdims', 0))],
    [1, node('Greater', ['hang_mean', 'hang_limit'], 'hang_above')],
    [1, node('Cast', ['hang_above'], 'hang_enters', integer('to', INT64))],
    [1, node('Mul', ['hang_enters', 'hang_turns'], 'hang_count')],
    [1, node('Loop', ['hang_count', '', 'hang_mean'], 'hang_out', graph('body', body))],
    [5, constant('hang_limit', FLOAT, limit)],
    [5, constant('hang_turns', INT64, turns)],
    // An output that nobody reads: without it the loop would be optimized away.
    [12, scalar('hang_out', FLOAT)],
  );
  // Of two serialized messages behind one another, the parser makes one with the fields of both.
  return Buffer.concat([network, message([7, added])]);
}
