"""A closer look at eyes and mouth, which are a tenth of the picture and most of what people look at: at 128² the heads of the
discriminator see an eye as six cells. Windows over them, enlarged, have heads of their own on the same frozen features."""
from __future__ import annotations

from typing import Callable, NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from .discriminator import CONDITION, Head

HEIGHT, WIDTH = 64, 128
_SIZE = 128
"""Of the pictures that points are given in."""
_RESOLUTIONS = (16, 8, 4)
"""Heights of the maps at strides 4, 8 and 16."""


class Place(NamedTuple):
    middle: Callable[[Tensor], Tensor]
    """Points N×≥68×2 -> N×2."""
    span: float
    """Width of its window in inter-ocular distances."""


PLACES = {
    "eyes": Place(lambda points: (points[:, 36:42].mean(1) + points[:, 42:48].mean(1)) / 2, 2.1),
    "mouth": Place(lambda points: points[:, 48:60].mean(1), 1.7),
}
"""Both eyes with their brows' outer ends; the mouth with its corners' folds, the nose's tip and most of the chin."""


def windows(x: Tensor, points: Tensor, place: str) -> Tensor:
    """N×C×S×S of any S, points N×≥68×2 in pixels of 128² (centres at integers) -> N×C×64×128, upright on the line between the eyes."""
    eyes = points[:, 42:48].mean(1) - points[:, 36:42].mean(1)
    middle, along = PLACES[place].middle(points), eyes * (PLACES[place].span / 2)
    across = torch.stack([-along[:, 1], along[:, 0]], 1) * (HEIGHT / WIDTH)
    u = (torch.arange(WIDTH, device=x.device) + 0.5) * (2 / WIDTH) - 1
    v = (torch.arange(HEIGHT, device=x.device) + 0.5) * (2 / HEIGHT) - 1
    at = middle[:, None, None] + u.view(1, 1, -1, 1) * along[:, None, None] + v.view(1, -1, 1, 1) * across[:, None, None]
    grid = (at + 0.5) * (2 / _SIZE) - 1
    return F.grid_sample(x, grid.to(x.dtype), mode="bilinear", padding_mode="border", align_corners=False)


class WindowDiscriminator(nn.Module):
    """Maps of `ProjectedFeatures` of windows over a place, mask N×1×128², line maps N×4×64², points -> three maps of logits, 4×8."""

    def __init__(self, place: str, inputs: int = 64, width: int = 64):
        super().__init__()
        self.place = place
        self.heads = nn.ModuleList(Head(r, inputs + CONDITION, width) for r in _RESOLUTIONS)

    def forward(self, maps: list[Tensor], mask: Tensor, lines: Tensor, points: Tensor) -> list[Tensor]:
        condition = windows(torch.cat([F.avg_pool2d(mask, 2), lines], 1), points, self.place) * 2 - 1
        logits = []
        for features, head in zip(maps, self.heads):
            told = F.avg_pool2d(condition, WIDTH // int(features.shape[-1]))
            logits.append(head(torch.cat([features, told.to(features.dtype)], 1)))
        return logits
