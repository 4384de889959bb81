export class OnnxGraph {
  input(name: string, dims: readonly (number | string)[]): string;
  constant(data: Float32Array | BigInt64Array, dims: readonly number[]): string;
  node(operator: string, inputs: readonly string[], attributes?: Record<string, string | number | number[]>): string;
  output(value: string, name: string, dims: readonly (number | string)[]): void;
  bytes(): Buffer;
}
export function transposed(data: Float32Array, dims: readonly number[], order: readonly number[]): Float32Array;
