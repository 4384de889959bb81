"""The finest octave: a small network that draws the detail of a 128² face at 256²."""
from __future__ import annotations

from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from .geometry import SIZE
from .model import SLOPE, Generator, blanked, colour_guide

DETAIL_SIZE = 2 * SIZE
_LINES = 4


class Detail(nn.Module):
    """Picture N×3×128² in [−1, 1] with the face in it, line maps N×4×64² -> what luma lacks at 256², N×1×256².

    Works at 64² (where convolutions are cheap and see far) on the picture's 4 phases, and draws 16 phases of one channel: video carries
    chroma at half the resolution anyway. The last layer starts at zero, so that an untrained one changes nothing.
    """

    def __init__(self, width: int = 40):
        super().__init__()
        self.width = width
        self.first = nn.Conv2d(12 + _LINES, width, 3, 1, 1)
        self.inner = nn.ModuleList(nn.Conv2d(width, width, 3, 1, 1) for _ in range(3))
        self.last = nn.Conv2d(width, 16, 3, 1, 1)
        nn.init.zeros_(self.last.weight)
        nn.init.zeros_(self.last.bias)

    def forward(self, picture: Tensor, lines: Tensor) -> Tensor:
        x = F.leaky_relu(self.first(torch.cat([F.pixel_unshuffle(picture, 2), lines], 1)), SLOPE)
        for conv in self.inner:
            x = x + F.leaky_relu(conv(x), SLOPE)
        return F.pixel_shuffle(self.last(x), 4)

    def drawn(self, face: Tensor, context: Tensor, mask: Tensor, lines: Tensor) -> Tensor:
        """A generator's face of 128² and what it was drawn from -> the face at 256², N×3×256² in [−1, 1]."""
        return (enlarged(face) + self(context + mask * face, lines)).clamp(-1, 1)


def load_detail(path: Path, strength: float = 1.0) -> Detail:
    """The averaged weights of a file of training.sharpen, of either kind, drawing `strength` times what they were trained to. Raises KeyError
    when it is none."""
    weights = torch.load(path, map_location="cpu", weights_only=True)["average"]
    detail = Detail(weights["first.weight"].shape[0])
    detail.load_state_dict({k: v.float() for k, v in weights.items()})
    with torch.no_grad():
        detail.last.weight *= strength
        detail.last.bias *= strength
    return detail.eval()


@torch.no_grad()
def narrowed(detail: Detail, width: int) -> Detail:
    """The same with the `width` channels of the inside that matter most (norm of what goes in times norm of what comes out): training has to go
    on from there, but not from nothing. Raises ValueError when there are fewer."""
    if width > detail.width:
        raise ValueError(f"a detail {detail.width} wide can't be narrowed to {width}")
    layers = [detail.first, *detail.inner]
    readers = [*detail.inner, detail.last]
    into = torch.stack([layer.weight.square().sum((1, 2, 3)) for layer in layers]).sum(0)
    out = torch.stack([layer.weight.square().sum((0, 2, 3)) for layer in readers]).sum(0)
    kept = (into * out).topk(width).indices.sort().values
    result = Detail(width)
    for new, old in zip([result.first, *result.inner, result.last], [detail.first, *detail.inner, detail.last]):
        rows = kept if old is not detail.last else slice(None)
        columns = kept if old is not detail.first else slice(None)
        new.weight.copy_(old.weight[rows][:, columns])
        new.bias.copy_(old.bias[rows])
    return result


def enlarged(face: Tensor) -> Tensor:
    """N×C×128² -> N×C×256², bilinear between pixel centres."""
    return F.interpolate(face, scale_factor=2, mode="bilinear", align_corners=False)


def paint(generator: Generator, picture: Tensor, mask: Tensor, points: Tensor, z: Tensor) -> Tensor:
    """The generator's face at 128² in its picture at 128², of whose face only the colour guide is seen."""
    context = blanked(picture, mask)
    return context + mask * generator(context, mask, points, colour_guide(picture, mask), z)
