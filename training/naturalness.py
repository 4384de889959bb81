"""How much a generated face looks like a photograph: what the discriminator learnt, as a network of its own.

    python -m training.naturalness CHECKPOINT GENERATOR.onnx OUT.onnx --data FACES --typical identities.json

Of several draws for one person the runtime shows the one that this likes best (Azadi et al., "Discriminator rejection sampling", 2019:
a discriminator knows which of a generator's samples are poor). OUT takes `picture` N×3×128×128 in [-1, 1] with the face in it, `mask`
N×1×128×128 and `landmarks` N×70×2, and answers `naturalness`, N: 0 for the usual draw, its unit the standard deviation of draws.
"""
from __future__ import annotations

import argparse
import json
from pathlib import Path

import numpy as np
import onnx
import torch
from onnx import TensorProto, helper, numpy_helper
from torch import Tensor, nn
from torch.nn.utils import parametrize

from .checkpoint import load_start
from .closeups import WindowDiscriminator, windows
from .data import FaceData, plain_views
from .discriminator import Discriminator
from .evaluate import generate
from .features import ProjectedFeatures
from .model import LineMaps
from .onnx_models import session
from .sheets import spread
from .typical import drawn

OPSET = 17
INPUTS = ("picture", "mask", "landmarks")
OUTPUT = "naturalness"
_STORED_WHOLE = 64
"""Values up to which a tensor is stored in 32 bits."""


class Naturalness(nn.Module):
    """The mean of the heads' logits, each by its own spread over draws."""

    def __init__(self, features: ProjectedFeatures, discriminator: Discriminator, closeups: dict[str, WindowDiscriminator]):
        super().__init__()
        self.features, self.discriminator, self.closeups = features, discriminator, nn.ModuleDict(closeups)
        self.lines = LineMaps()
        count = len(discriminator.heads) + sum(len(judge.heads) for judge in closeups.values())
        self.register_buffer("usual", torch.zeros(count))
        self.register_buffer("spread", torch.ones(count))

    def logits(self, picture: Tensor, mask: Tensor, points: Tensor) -> Tensor:
        """-> N×heads, each the mean of its map."""
        lines = self.lines(points)
        maps = self.discriminator(self.features(picture)[1], mask, lines)
        for place, judge in self.closeups.items():
            maps += judge(self.features(windows(picture, points, place))[1], mask, lines, points)
        return torch.stack([m.mean((1, 2, 3)) for m in maps], 1)

    def forward(self, picture: Tensor, mask: Tensor, points: Tensor) -> Tensor:
        return ((self.logits(picture, mask, points) - self.usual) / self.spread).mean(1)

    @torch.no_grad()
    def measure(self, batches: list[tuple[Tensor, Tensor, Tensor]]) -> None:
        """Sets the unit by draws: the mean over heads of the deviations is not 1, so that is divided by as well."""
        logits = torch.cat([self.logits(*batch) for batch in batches])
        self.usual.copy_(logits.mean(0))
        self.spread.copy_(logits.std(0))
        self.spread.mul_(((logits - self.usual) / self.spread).mean(1).std())


def load_naturalness(checkpoint: Path, places: tuple[str, ...] = ("eyes", "mouth")) -> Naturalness:
    """Of what the checkpoint's discriminator learnt. Raises ValueError when it has no heads for a place."""
    features, discriminator = ProjectedFeatures(), Discriminator()
    closeups = {place: WindowDiscriminator(place) for place in places}
    start = load_start(checkpoint, discriminator, features, closeups)
    if start.new:
        raise ValueError(f"{checkpoint} has no heads for {', '.join(sorted(start.new))}")
    model = Naturalness(features, discriminator, closeups).eval()
    for module in list(model.modules()):
        for name in list(getattr(module, "parametrizations", {})):
            parametrize.remove_parametrizations(module, name)
    return model.requires_grad_(False)


def export(model: Naturalness, path: Path) -> None:
    """Writes the network with a dynamic batch and its weights in 16 bits, which the runtime turns into 32 once, when it loads them."""
    n = 2
    points = torch.rand(n, 70, 2, generator=torch.Generator().manual_seed(0)) * 90 + 20
    given = (torch.zeros(n, 3, 128, 128), torch.ones(n, 1, 128, 128), points)
    path.parent.mkdir(parents=True, exist_ok=True)
    torch.onnx.export(
        model, given, str(path), input_names=list(INPUTS), output_names=[OUTPUT], opset_version=OPSET, dynamo=False,
        dynamic_axes={name: {0: "n"} for name in (*INPUTS, OUTPUT)},
    )
    written = halved(onnx.load(str(path)))
    onnx.checker.check_model(written)
    onnx.save(written, str(path))


def halved(model: onnx.ModelProto) -> onnx.ModelProto:
    """Large tensors in 16 bits, each followed by a cast to 32."""
    graph, casts = model.graph, []
    for tensor in graph.initializer:
        values = numpy_helper.to_array(tensor)
        if values.dtype != np.float32 or values.size <= _STORED_WHOLE:
            continue
        name = tensor.name
        tensor.CopyFrom(numpy_helper.from_array(values.astype(np.float16), f"{name}_16"))
        casts.append(helper.make_node("Cast", [f"{name}_16"], [name], to=TensorProto.FLOAT))
    nodes = list(graph.node)
    del graph.node[:]
    graph.node.extend([*casts, *nodes])
    return model


def draws(data: FaceData, indices: np.ndarray, generator: Path, typical: dict, count: int = 2) -> list[tuple[Tensor, Tensor, Tensor]]:
    """Batches of composited pictures as they are served, with mask and points."""
    net, (picture, mask, points) = session(generator), plain_views(data, indices)
    form, limit = np.float32(typical["form"]), typical["limit"]
    batches = []
    for turn in range(count):
        made = torch.from_numpy(generate(net, picture, mask, points, drawn(form, limit, len(indices), turn)))
        batches.append((made.permute(0, 3, 1, 2).float() / 127.5 - 1, mask, points))
    return batches


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("checkpoint", type=Path)
    parser.add_argument("generator", type=Path, help="its export, as served")
    parser.add_argument("out", type=Path)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--typical", type=Path, required=True, help="which draws are served (training.typical)")
    parser.add_argument("--crops", type=int, default=96)
    a = parser.parse_args()
    data, model = FaceData(a.data), load_naturalness(a.checkpoint)
    indices = spread(data.validation if len(data.validation) else data.training, a.crops)
    model.measure(draws(data, indices, a.generator, json.loads(a.typical.read_text())))
    export(model, a.out)
    print(f"{a.out}: photographs {model(*plain_views(data, indices)).mean():.2f}, draws 0 ± 1")


if __name__ == "__main__":
    main()
