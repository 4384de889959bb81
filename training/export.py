"""Exports the generator to ONNX by the contract of docs/architecture.md.

    python -m training.export fp32 CHECKPOINT OUT.onnx
    python -m training.export int8 FP32.onnx OUT.onnx --data FACES [--crops 96] [--layers enc32,down16,...]
    python -m training.export detail DETAIL.pt OUT.onnx [--strength 0.8] [--data SHARP]

int8: static QDQ, uint8 activations per tensor, int8 weights per channel, calibrated on crops of FACES (a folder made by
training.prepare); the detail in the same way when it is given sharp crops, with the shipped generator's faces. Weights use 7 bits: on CPUs without VNNI the products of two full ranges saturate in 16 bits.
"""
from __future__ import annotations

import argparse
import copy
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
import onnx
import torch
from onnxruntime.quantization import CalibrationDataReader, CalibrationMethod, QuantFormat, QuantType, quantize_static
from onnxruntime.quantization.shape_inference import quant_pre_process

from .checkpoint import load_generator
from .data import FaceData, plain_views
from .detail import Detail, load_detail
from .detail_graph import DETAIL_INPUTS, DetailGraph, detail_feeds
from .generator_graph import GeneratorGraph
from .identity import Z
from .model import INPUTS, OUTPUT, Generator, blanked, colour_guide
from .quantization import INT8_LAYERS
from .sharp_data import SharpData
from .sheets import spread

OPSET = 17
_SHIPPED = Path("models/generator")

Feed = dict[str, np.ndarray]


def example_inputs(n: int, seed: int = 0) -> Feed:
    """Inputs of the right shapes, for tracing and for comparing networks."""
    g = torch.Generator().manual_seed(seed)
    points = torch.rand(n, 70, 2, generator=g) * 90 + 20
    mask = torch.zeros(n, 1, 128, 128)
    mask[:, :, 24:116, 24:104] = 1
    picture = torch.rand(n, 3, 128, 128, generator=g) * 2 - 1
    values = (blanked(picture, mask), mask, points, colour_guide(picture, mask), torch.randn(n, Z, generator=g))
    return {name: value.numpy() for name, value in zip(INPUTS, values)}


def export_detail(detail: Detail, path: Path) -> None:
    """Writes the network that follows a generator of any precision, with a dynamic batch."""
    graph = DetailGraph(copy.deepcopy(detail).eval().to(memory_format=torch.contiguous_format))
    given = example_inputs(2) | {"small": torch.zeros(2, 3, 128, 128).numpy()}
    path.parent.mkdir(parents=True, exist_ok=True)
    torch.onnx.export(
        graph, tuple(torch.from_numpy(given[k]) for k in DETAIL_INPUTS), str(path), input_names=list(DETAIL_INPUTS),
        output_names=[OUTPUT], opset_version=OPSET, dynamo=False, dynamic_axes={name: {0: "n"} for name in (*DETAIL_INPUTS, OUTPUT)},
    )
    onnx.checker.check_model(onnx.load(str(path)))


def export_fp32(generator: Generator, path: Path) -> None:
    """Writes the network with a dynamic batch."""
    generator = GeneratorGraph(generator)
    path.parent.mkdir(parents=True, exist_ok=True)
    inputs = tuple(torch.from_numpy(v) for v in example_inputs(2).values())
    torch.onnx.export(
        generator, inputs, str(path), input_names=list(INPUTS), output_names=[OUTPUT], opset_version=OPSET, dynamo=False,
        dynamic_axes={name: {0: "n"} for name in (*INPUTS, OUTPUT)},
    )
    model = onnx.load(str(path))
    onnx.checker.check_model(model)


def served_inputs(data: FaceData, indices: Iterable[int], seed: int = 0) -> Iterator[Feed]:
    """Real crops, one at a time, with drawn identities, as the runtime feeds them."""
    rng = np.random.default_rng(seed)
    for index in indices:
        picture, mask, points = plain_views(data, [index])
        z = rng.standard_normal((1, Z)).astype(np.float32)
        values = (blanked(picture, mask).numpy(), mask.numpy(), points.numpy(), colour_guide(picture, mask).numpy(), z)
        yield dict(zip(INPUTS, values))


class _Reader(CalibrationDataReader):
    def __init__(self, feeds: Iterable[Feed]):
        self._feeds = iter(feeds)

    def get_next(self) -> Feed | None:
        return next(self._feeds, None)


def convolutions(model: onnx.ModelProto) -> dict[str, str]:
    """Layer -> name of its convolution, in order. The tracer names nodes after modules; sums over channels, which the export
    writes as convolutions, are none."""
    names = [node.name for node in model.graph.node if node.op_type == "Conv"]
    inner = {name.strip("/").split("/")[0] for name in names if name.endswith("/conv/Conv")}
    layers = {name.strip("/").split("/")[0]: name for name in names if name.endswith("/conv/Conv") or name.split("/")[1] not in inner}
    return layers


def quantize(fp32: Path, out: Path, feeds: Iterable[Feed], layers: tuple[str, ...] = INT8_LAYERS, reduce_range: bool = True) -> None:
    """Static QDQ of the convolutions of `layers`. Raises ValueError for a layer the network hasn't got."""
    with tempfile.TemporaryDirectory() as folder:
        prepared = Path(folder) / "prepared.onnx"
        quant_pre_process(str(fp32), str(prepared), skip_symbolic_shape=True)
        names = convolutions(onnx.load(str(prepared)))
        if unknown := set(layers) - set(names):
            raise ValueError(f"no such layers: {', '.join(sorted(unknown))}; there are {', '.join(names)}")
        _quantize_nodes(prepared, out, feeds, [names[layer] for layer in layers], reduce_range)


def quantize_detail(fp32: Path, out: Path, feeds: Iterable[Feed]) -> None:
    """Static QDQ of all its convolutions but that which sorts pixels into phases."""
    with tempfile.TemporaryDirectory() as folder:
        prepared = Path(folder) / "prepared.onnx"
        quant_pre_process(str(fp32), str(prepared), skip_symbolic_shape=True)
        names = [node.name for node in onnx.load(str(prepared)).graph.node if node.op_type == "Conv" and "phases" not in node.name]
        _quantize_nodes(prepared, out, feeds, names, True)


def _quantize_nodes(prepared: Path, out: Path, feeds: Iterable[Feed], nodes: list[str], reduce_range: bool) -> None:
    quantize_static(
        str(prepared), str(out), _Reader(feeds), quant_format=QuantFormat.QDQ, op_types_to_quantize=["Conv"], nodes_to_quantize=nodes,
        per_channel=True, reduce_range=reduce_range, activation_type=QuantType.QUInt8, weight_type=QuantType.QInt8,
        calibrate_method=CalibrationMethod.MinMax,
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(dest="command", required=True)
    fp32 = commands.add_parser("fp32")
    fp32.add_argument("checkpoint", type=Path)
    fp32.add_argument("out", type=Path)
    int8 = commands.add_parser("int8")
    int8.add_argument("fp32", type=Path)
    int8.add_argument("out", type=Path)
    int8.add_argument("--data", type=Path, required=True)
    int8.add_argument("--crops", type=int, default=96)
    int8.add_argument("--layers", default=",".join(INT8_LAYERS))
    int8.add_argument("--full-range", action="store_true", help="8-bit weights: only for CPUs with VNNI")
    detail = commands.add_parser("detail")
    detail.add_argument("checkpoint", type=Path)
    detail.add_argument("out", type=Path)
    detail.add_argument("--strength", type=float, default=1.0, help="of what was learnt: training.sharpness says what is best")
    detail.add_argument("--data", type=Path, help="sharp crops: makes it int8, calibrated on them")
    detail.add_argument("--crops", type=int, default=96)
    detail.add_argument("--generator", type=Path, default=_SHIPPED / "understudy-128-int8.onnx", help="whose faces it is calibrated on")
    detail.add_argument("--cast", type=Path, default=_SHIPPED / "identities.json")
    a = parser.parse_args()
    if a.command == "detail":
        export_detail(load_detail(a.checkpoint, a.strength), a.out)
        if a.data:
            data = SharpData(a.data)
            quantize_detail(a.out, a.out, detail_feeds(data, a.generator, a.cast, spread(data.training, a.crops)))
        print(a.out)
    elif a.command == "fp32":
        generator, seen = load_generator(a.checkpoint)
        export_fp32(generator, a.out)
        print(f"{a.out}: {seen} images seen")
    else:
        data = FaceData(a.data)
        feeds = served_inputs(data, spread(data.training, a.crops))
        quantize(a.fp32, a.out, feeds, tuple(a.layers.split(",")), not a.full_range)
        print(a.out)


if __name__ == "__main__":
    main()
