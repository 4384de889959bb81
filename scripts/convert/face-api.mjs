// The nets of @vladmandic/face-api (MIT), written down from its TypeScript sources, with the weights of its model folder.
import { readFileSync } from 'node:fs';
import { OnnxGraph, transposed } from './onnx-graph.mjs';

/** TF.js weights by name: 8-bit shards are `q · scale + min`. */
function readWeights(binPath) {
  const manifest = JSON.parse(readFileSync(binPath.replace(/\.bin$/, '-weights_manifest.json'), 'utf8'));
  const bytes = readFileSync(binPath);
  const weights = new Map();
  let at = 0;
  for (const { name, shape, quantization } of manifest.flatMap((group) => group.weights)) {
    const n = shape.reduce((a, b) => a * b, 1);
    const data = new Float32Array(n);
    if (quantization) for (let i = 0; i < n; i++) data[i] = bytes[at + i] * quantization.scale + quantization.min;
    else for (let i = 0; i < n; i++) data[i] = bytes.readFloatLE(at + 4 * i);
    at += quantization ? n : 4 * n;
    weights.set(name, { data, shape });
  }
  return (name) => weights.get(name) ?? raise(`there is no weight ${name}`);
}

function raise(reason) {
  throw new Error(reason);
}

/** dlib's ResNet: 1×3×150×150, (RGB − mean) / 255 → 128. */
export function faceRecognition(binPath) {
  const weight = readWeights(binPath);
  const graph = new OnnxGraph();
  let channels = 32;
  /** Convolution with dlib's affine layer folded into it. */
  const conv = (x, name, { stride = 1, relu = true } = {}) => {
    const filters = weight(`${name}/conv/filters`);
    const [h, w, cin, cout] = filters.shape;
    const bias = weight(`${name}/conv/bias`).data;
    const scale = weight(`${name}/scale/weights`).data;
    const shift = weight(`${name}/scale/biases`).data;
    const kernel = transposed(filters.data, filters.shape, [3, 2, 0, 1]).map(
      (v, i) => v * scale[Math.floor(i / (cin * h * w))],
    );
    const inputs = [
      x,
      graph.constant(kernel, [cout, cin, h, w]),
      graph.constant(
        bias.map((b, o) => b * scale[o] + shift[o]),
        [cout],
      ),
    ];
    const auto_pad = stride === 2 ? 'VALID' : 'SAME_UPPER';
    const out = graph.node('Conv', inputs, { kernel_shape: [h, w], strides: [stride, stride], auto_pad });
    return relu ? graph.node('Relu', [out]) : out;
  };
  const residual = (x, name) => {
    const out = conv(conv(x, `${name}/conv1`), `${name}/conv2`, { relu: false });
    return graph.node('Relu', [graph.node('Add', [out, x])]);
  };
  const pad = (x, pads) => graph.node('Pad', [x, graph.constant(BigInt64Array.from(pads.map(BigInt)), [8])]);
  let side = 35;
  const residualDown = (x, name) => {
    let out = conv(conv(x, `${name}/conv1`, { stride: 2 }), `${name}/conv2`, { relu: false });
    const pooledSide = Math.floor(side / 2);
    const convSide = Math.floor((side - 3) / 2) + 1;
    if (convSide !== pooledSide) out = pad(out, [0, 0, 0, 0, 0, 0, 1, 1]);
    let pooled = graph.node('AveragePool', [x], { kernel_shape: [2, 2], strides: [2, 2] });
    const filled = weight(`${name}/conv2/conv/filters`).shape[3];
    if (filled !== channels) pooled = pad(pooled, [0, 0, 0, 0, 0, filled - channels, 0, 0]);
    channels = filled;
    side = pooledSide;
    return graph.node('Relu', [graph.node('Add', [pooled, out])]);
  };
  let x = conv(graph.input('input', [1, 3, 150, 150]), 'conv32_down', { stride: 2 });
  x = graph.node('MaxPool', [x], { kernel_shape: [3, 3], strides: [2, 2] });
  for (const name of ['conv32_1', 'conv32_2', 'conv32_3']) x = residual(x, name);
  x = residualDown(x, 'conv64_down');
  for (const name of ['conv64_1', 'conv64_2', 'conv64_3']) x = residual(x, name);
  x = residualDown(x, 'conv128_down');
  for (const name of ['conv128_1', 'conv128_2']) x = residual(x, name);
  x = residualDown(x, 'conv256_down');
  for (const name of ['conv256_1', 'conv256_2']) x = residual(x, name);
  x = residualDown(x, 'conv256_down_out');
  const fc = weight('fc');
  const mean = graph.node('ReduceMean', [x], { axes: [2, 3], keepdims: 0 });
  graph.output(graph.node('MatMul', [mean, graph.constant(fc.data, fc.shape)]), 'embedding', [1, 128]);
  return graph.bytes();
}

/** Expressions: 1×3×112×112, (RGB − mean) / 255 → 7 logits and the 256 features before them. */
export function faceExpression(binPath) {
  const weight = readWeights(binPath);
  const graph = new OnnxGraph();
  const bias = (name) => weight(name).data;
  const separable = (x, name, stride) => {
    const depth = weight(`${name}/depthwise_filter`);
    const point = weight(`${name}/pointwise_filter`);
    const [h, w, c] = depth.shape;
    const [, , cin, cout] = point.shape;
    const kernel = graph.constant(transposed(depth.data, depth.shape, [2, 3, 0, 1]), [c, 1, h, w]);
    const across = graph.node('Conv', [x, kernel], {
      kernel_shape: [h, w],
      strides: [stride, stride],
      group: c,
      auto_pad: 'SAME_UPPER',
    });
    const mix = graph.constant(transposed(point.data, point.shape, [3, 2, 0, 1]), [cout, cin, 1, 1]);
    return graph.node('Conv', [across, mix, graph.constant(bias(`${name}/bias`), [cout])], { kernel_shape: [1, 1] });
  };
  const first = (x, name) => {
    const filters = weight(`${name}/filters`);
    const [h, w, cin, cout] = filters.shape;
    const kernel = graph.constant(transposed(filters.data, filters.shape, [3, 2, 0, 1]), [cout, cin, h, w]);
    const inputs = [x, kernel, graph.constant(bias(`${name}/bias`), [cout])];
    return graph.node('Conv', inputs, { kernel_shape: [h, w], strides: [2, 2], auto_pad: 'SAME_UPPER' });
  };
  const sum = (...values) => values.reduce((a, b) => graph.node('Add', [a, b]));
  const relu = (x) => graph.node('Relu', [x]);
  const dense = (x, name, isFirst) => {
    const out1 = relu(isFirst ? first(x, `${name}/conv0`) : separable(x, `${name}/conv0`, 2));
    const out2 = separable(out1, `${name}/conv1`, 1);
    const out3 = separable(relu(sum(out1, out2)), `${name}/conv2`, 1);
    const out4 = separable(relu(sum(out1, out2, out3)), `${name}/conv3`, 1);
    return relu(sum(out1, out2, out3, out4));
  };
  let x = dense(graph.input('input', [1, 3, 112, 112]), 'dense0', true);
  for (const name of ['dense1', 'dense2', 'dense3']) x = dense(x, name, false);
  const features = graph.node('Flatten', [graph.node('AveragePool', [x], { kernel_shape: [7, 7], strides: [2, 2] })]);
  const fc = weight('fc/weights');
  const product = graph.node('MatMul', [features, graph.constant(fc.data, fc.shape)]);
  graph.output(features, 'features', [1, 256]);
  graph.output(graph.node('Add', [product, graph.constant(bias('fc/bias'), [7])]), 'logits', [1, 7]);
  return graph.bytes();
}
