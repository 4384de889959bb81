"""Four small heads on projected features, each told the line maps and the mask."""
from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.utils.parametrizations import spectral_norm

CONDITION = 5
RESOLUTIONS = (32, 16, 8, 4)


class Head(nn.Module):
    def __init__(self, resolution: int, inputs: int, width: int = 96):
        super().__init__()
        layers: list[nn.Module] = []
        while resolution > 4:
            layers += [spectral_norm(nn.Conv2d(inputs, width, 4, 2, 1)), nn.LeakyReLU(0.2)]
            inputs, resolution = width, resolution // 2
        layers += [spectral_norm(nn.Conv2d(inputs, width, 3, 1, 1)), nn.LeakyReLU(0.2)]
        self.body = nn.Sequential(*layers)
        self.out = spectral_norm(nn.Conv2d(width, 1, 3, 1, 1))

    def forward(self, x: Tensor) -> Tensor:
        return self.out(self.body(x)).float()


class Discriminator(nn.Module):
    """Maps of `ProjectedFeatures`, mask N×1×128², line maps N×4×64² -> four maps of logits at 4²."""

    def __init__(self, width: int = 64):
        super().__init__()
        self.heads = nn.ModuleList(Head(r, width + CONDITION) for r in RESOLUTIONS)

    def forward(self, maps: list[Tensor], mask: Tensor, lines: Tensor) -> list[Tensor]:
        condition = torch.cat([F.avg_pool2d(mask, 2), lines], 1) * 2 - 1
        logits = []
        for features, head in zip(maps, self.heads):
            told = F.avg_pool2d(condition, int(condition.shape[-1]) // int(features.shape[-1]))
            logits.append(head(torch.cat([features, told.to(features.dtype)], 1)))
        return logits


def renamed(state: dict[str, Tensor]) -> dict[str, Tensor]:
    """Heads of the first checkpoint under today's names."""
    if not any(k.startswith("h.") for k in state):
        return state
    out = {}
    for key, value in state.items():
        _, index, part, rest = key.split(".", 3)
        out[f"heads.{index}.{'body' if part == 'n' else 'out'}.{rest}"] = value
    return out
