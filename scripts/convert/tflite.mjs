// TensorFlow Lite (NHWC) to ONNX (NCHW) for plain convolutional nets: MobileFaceNet and the three of MTCNN.
import { readFileSync } from 'node:fs';
import { OnnxGraph, transposed } from './onnx-graph.mjs';
import { readTflite } from './tflite-reader.mjs';

const BINARY = { 0: 'Add', 18: 'Mul', 41: 'Sub', 42: 'Div' };
const UNARY = { 19: 'Relu', 47: 'Exp', 59: 'Neg', 101: 'Abs' };
const REDUCE = { 74: 'ReduceSum', 82: 'ReduceMax' };
const padding = (options) => (options.int8(0) === 0 ? 'SAME_UPPER' : 'VALID');

/**
 * @param path a .tflite file @param spatial input height and width; strings leave them free
 * @param names what the outputs are called, in the file's order
 */
export function convertTflite(path, spatial, names) {
  const { tensors, inputs, outputs, operators } = readTflite(readFileSync(path));
  const graph = new OnnxGraph();
  const values = new Map([[inputs[0], graph.input('input', ['n', 3, ...spatial])]]);
  const rank = (i) => tensors[i].shape.length;
  /** A value, or a constant made to fit beside a value of that rank. */
  const value = (i, beside) => {
    if (values.has(i)) return values.get(i);
    const { data, shape } = tensors[i];
    return graph.constant(data, beside === 4 ? [1, shape.at(-1) ?? 1, 1, 1] : shape);
  };
  const bias = (i) => graph.constant(tensors[i].data, tensors[i].shape);
  for (const { code, inputs: from, outputs: to, options } of operators) {
    values.set(to[0], operator(code, from, to[0], options));
  }
  function operator(code, from, to, options) {
    if (code === 3 || code === 4) {
      const { data, shape } = tensors[from[1]];
      const deep = code === 4;
      const [, h, w] = shape;
      const kernel = transposed(data, shape, deep ? [3, 0, 1, 2] : [0, 3, 1, 2]);
      const dims = deep ? [shape[3], 1, h, w] : [shape[0], shape[3], h, w];
      const strides = [options.int32(2, 1), options.int32(1, 1)];
      const attributes = { kernel_shape: [h, w], strides, auto_pad: padding(options), group: deep ? shape[3] : 1 };
      return graph.node('Conv', [values.get(from[0]), graph.constant(kernel, dims), bias(from[2])], attributes);
    }
    if (code === 9) {
      const { data, shape } = tensors[from[1]];
      // The weights expect height, width, channel.
      const flat =
        rank(from[0]) === 4
          ? graph.node('Transpose', [values.get(from[0])], { perm: [0, 2, 3, 1] })
          : values.get(from[0]);
      return graph.node('Gemm', [graph.node('Flatten', [flat]), graph.constant(data, shape), bias(from[2])], {
        transB: 1,
      });
    }
    if (code === 17) {
      const kernel_shape = [options.int32(4), options.int32(3)];
      return graph.node('MaxPool', [values.get(from[0])], {
        kernel_shape,
        strides: [options.int32(2), options.int32(1)],
        auto_pad: padding(options),
      });
    }
    if (code === 22) return graph.node('Flatten', [values.get(from[0])]);
    if (BINARY[code]) {
      const r = rank(to);
      return graph.node(
        BINARY[code],
        from.map((i) => value(i, r)),
      );
    }
    if (UNARY[code]) return graph.node(UNARY[code], [values.get(from[0])]);
    // Only softmax reduces, over the channels.
    if (REDUCE[code]) return graph.node(REDUCE[code], [values.get(from[0])], { axes: [1], keepdims: 1 });
    throw new Error(`TensorFlow Lite operator ${code} is not known here`);
  }
  outputs.forEach((o, k) => {
    const dims = rank(o) === 4 ? ['n', tensors[o].shape[3], 'h', 'w'] : ['n', tensors[o].shape[1]];
    graph.output(values.get(o), names[k], dims);
  });
  return graph.bytes();
}
