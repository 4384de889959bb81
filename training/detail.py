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
LIT, LEAST = 0.4, 0.3
"""Luma, of 1, below which detail is drawn weaker, in proportion to it, and the least of it: texture multiplies the light."""


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
        phases = F.pixel_unshuffle(picture, 2)
        light = ((phases.mean(1, keepdim=True) + 1) / (2 * LIT)).clamp(LEAST, 1)
        x = F.leaky_relu(self.first(torch.cat([phases, lines], 1)), SLOPE)
        for conv in self.inner:
            x = x + F.leaky_relu(conv(x), SLOPE)
        return F.pixel_shuffle(self.last(x) * light, 4)

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


def enlarged(face: Tensor) -> Tensor:
    """N×C×128² -> N×C×256², bilinear between pixel centres."""
    return F.interpolate(face, scale_factor=2, mode="bilinear", align_corners=False)


def paint(generator: Generator, picture: Tensor, mask: Tensor, points: Tensor, z: Tensor) -> Tensor:
    """The generator's face at 128² in its picture at 128², of whose face only the colour guide is seen."""
    context = blanked(picture, mask)
    return context + mask * generator(context, mask, points, colour_guide(picture, mask), z)
