"""Converts MediaPipe's iris network (iris_landmark.tflite of the PyPI package mediapipe, Apache-2.0) to ONNX, once.

    pip download --no-deps mediapipe==0.10.14
    unzip -p mediapipe-0.10.14-*.whl mediapipe/modules/iris_landmark/iris_landmark.tflite > iris_landmark.tflite
    pip install onnx onnxruntime tflite tflite-runtime "numpy<2"
    python scripts/convert-iris.py iris_landmark.tflite models/iris/iris.onnx

Only the iris branch is kept (the other one finds lids and brows). Input `eyes` N×3×64×64 RGB in [0, 1], output `iris` N×5×2:
centre and four points of the rim, pixels of the input. Prints the largest difference to the original on random and smooth
inputs when tflite-runtime is installed.
"""

import sys

import numpy as np
import onnx
import tflite
from onnx import TensorProto, helper, numpy_helper

source, target = sys.argv[1:3]
model = tflite.Model.GetRootAsModel(open(source, "rb").read(), 0)
graph = model.Subgraphs(0)
OPERATORS = {v: k for k, v in vars(tflite.BuiltinOperator).items() if isinstance(v, int)}
WANTED = next(i for i in graph.OutputsAsNumpy() if b"iris" in graph.Tensors(i).Name())

nodes, weights, made = [], [], {}


def values(index):
    tensor = graph.Tensors(index)
    data = model.Buffers(tensor.Buffer()).DataAsNumpy()
    kinds = {tflite.TensorType.FLOAT32: np.float32, tflite.TensorType.INT32: np.int32}
    return np.frombuffer(data.tobytes(), kinds[tensor.Type()]).reshape(tensor.ShapeAsNumpy())


def weight(name, array):
    if name not in made:
        weights.append(numpy_helper.from_array(np.ascontiguousarray(array), name))
        made[name] = True
    return name


def options(operator, kind):
    result = kind()
    result.Init(operator.BuiltinOptions().Bytes, operator.BuiltinOptions().Pos)
    return result


def same(size, kernel, stride):
    """TensorFlow's SAME padding, which is uneven for even sizes."""
    total = max((-(-size // stride) - 1) * stride + kernel - size, 0)
    return total // 2, total - total // 2


def padding(o, shape, kernel, stride):
    if o.Padding() == tflite.Padding.VALID:
        return [0, 0, 0, 0]
    top, bottom = same(shape[1], kernel[0], stride[0])
    left, right = same(shape[2], kernel[1], stride[1])
    return [top, left, bottom, right]


def convert(operator):
    code = model.OperatorCodes(operator.OpcodeIndex())
    kind = OPERATORS[max(code.BuiltinCode(), code.DeprecatedBuiltinCode())]
    inputs = list(operator.InputsAsNumpy())
    output = f"t{operator.OutputsAsNumpy()[0]}"
    data = f"t{inputs[0]}"
    shape = graph.Tensors(inputs[0]).ShapeAsNumpy()
    if kind in ("CONV_2D", "DEPTHWISE_CONV_2D"):
        deep = kind.startswith("DEPTH")
        o = options(operator, tflite.DepthwiseConv2DOptions if deep else tflite.Conv2DOptions)
        assert o.FusedActivationFunction() == tflite.ActivationFunctionType.NONE
        kernel = values(inputs[1])
        kernel = kernel.transpose(3, 0, 1, 2) if deep else kernel.transpose(0, 3, 1, 2)
        stride = [o.StrideH(), o.StrideW()]
        attributes = dict(strides=stride, pads=padding(o, shape, kernel.shape[2:], stride), group=len(kernel) if deep else 1)
        names = [data, weight(f"w{inputs[1]}", kernel), weight(f"w{inputs[2]}", values(inputs[2]))]
        nodes.append(helper.make_node("Conv", names, [output], **attributes))
    elif kind == "PRELU":
        slope = values(inputs[1]).reshape(-1, 1, 1)
        nodes.append(helper.make_node("PRelu", [data, weight(f"w{inputs[1]}", slope)], [output]))
    elif kind == "ADD":
        assert options(operator, tflite.AddOptions).FusedActivationFunction() == tflite.ActivationFunctionType.NONE
        nodes.append(helper.make_node("Add", [data, f"t{inputs[1]}"], [output]))
    elif kind == "MAX_POOL_2D":
        o = options(operator, tflite.Pool2DOptions)
        kernel, stride = [o.FilterHeight(), o.FilterWidth()], [o.StrideH(), o.StrideW()]
        attributes = dict(kernel_shape=kernel, strides=stride, pads=padding(o, shape, kernel, stride))
        nodes.append(helper.make_node("MaxPool", [data], [output], **attributes))
    elif kind == "PAD":
        pads = values(inputs[1])[[0, 3, 1, 2]]
        name = weight(f"w{inputs[1]}", np.concatenate([pads[:, 0], pads[:, 1]]).astype(np.int64))
        nodes.append(helper.make_node("Pad", [data, name], [output]))
    elif kind == "RESHAPE":
        points = weight("points", np.array([-1, 5, 3], np.int64))
        nodes.append(helper.make_node("Reshape", [data, points], ["xyz"]))
        ends = [weight("from", np.array([0], np.int64)), weight("to", np.array([2], np.int64)), weight("axis", np.array([2], np.int64))]
        nodes.append(helper.make_node("Slice", ["xyz", *ends], ["iris"]))
    else:
        raise SystemExit(f"no rule for {kind}")


needed, chosen = {WANTED}, []
for i in reversed(range(graph.OperatorsLength())):
    operator = graph.Operators(i)
    if operator.OutputsAsNumpy()[0] in needed:
        needed.update(operator.InputsAsNumpy())
        chosen.append(operator)
nodes.append(helper.make_node("Identity", ["eyes"], [f"t{graph.InputsAsNumpy()[0]}"]))
for operator in reversed(chosen):
    convert(operator)

eyes = helper.make_tensor_value_info("eyes", TensorProto.FLOAT, ["N", 3, 64, 64])
iris = helper.make_tensor_value_info("iris", TensorProto.FLOAT, ["N", 5, 2])
converted = helper.make_model(
    helper.make_graph(nodes, "iris", [eyes], [iris], weights),
    opset_imports=[helper.make_opsetid("", 17)],
    ir_version=8,
    producer_name="understudy scripts/convert-iris.py",
)
onnx.checker.check_model(converted)
onnx.save(converted, target)

try:
    from tflite_runtime.interpreter import Interpreter
except ImportError:
    sys.exit("tflite-runtime is not installed: not compared")
import onnxruntime

original = Interpreter(source)
original.allocate_tensors()
slot = next(d["index"] for d in original.get_output_details() if d["shape"][-1] == 15)
session = onnxruntime.InferenceSession(target, providers=["CPUExecutionProvider"])
random = np.random.default_rng(1)
worst = 0.0
for trial in range(32):
    coarse = random.random((1, 3, 64 // 2 ** (trial % 5), 64 // 2 ** (trial % 5)), np.float32)
    picture = coarse.repeat(64 // coarse.shape[2], 2).repeat(64 // coarse.shape[3], 3)
    original.set_tensor(original.get_input_details()[0]["index"], picture.transpose(0, 2, 3, 1).copy())
    original.invoke()
    expected = original.get_tensor(slot).reshape(5, 3)[:, :2]
    found = session.run(None, {"eyes": picture})[0][0]
    worst = max(worst, float(np.abs(expected - found).max()))
print(f"largest difference to the original: {worst:.2g} pixels of the 64")
