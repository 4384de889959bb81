// By the name that models/manifest.json gives in `convert`: (path of the package's file) → bytes of an ONNX model.
import { faceExpression, faceRecognition } from './face-api.mjs';
import { convertTflite } from './tflite.mjs';

export const converters = {
  'face-api-recognition': faceRecognition,
  'face-api-expression': faceExpression,
  'tflite-mobilefacenet': (path) => convertTflite(path, [112, 112], ['embedding']),
  'tflite-pnet': (path) => convertTflite(path, ['height', 'width'], ['face', 'box']),
  'tflite-rnet': (path) => convertTflite(path, [24, 24], ['face', 'box']),
  'tflite-onet': (path) => convertTflite(path, [48, 48], ['face', 'box', 'points']),
};
