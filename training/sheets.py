"""Contact sheets: what the network draws, to be looked at."""
from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image
from torch import Tensor, nn

from .identity import Z
from .model import blanked, composite


def grid(rows: list[Tensor]) -> Image.Image:
    """Rows of N×3×H×W in [−1, 1]."""
    array = torch.cat([torch.cat(list(row), 2) for row in rows], 1).permute(1, 2, 0)
    return Image.fromarray(((array + 1) * 127.5).round().clamp(0, 255).byte().numpy())


@torch.no_grad()
def sheet(generator: nn.Module, picture: Tensor, mask: Tensor, points: Tensor, identities: int = 4, seed: int = 3) -> Image.Image:
    """Original; input with the line maps; one row for each identity drawn."""
    lines = F.interpolate(generator.lines(points), scale_factor=2)
    shown = (lines[:, :3] + lines[:, 3:]).clamp(0, 1) * 1.8 - 0.9
    z = torch.randn(identities, Z, generator=torch.Generator().manual_seed(seed))
    rows = [picture, blanked(picture, mask) + mask * shown]
    rows += [composite(generator, picture, mask, points, one.expand(len(picture), -1)) for one in z]
    return grid(rows)


def spread(indices: np.ndarray, count: int) -> np.ndarray:
    """`count` of them, evenly."""
    return indices[np.linspace(0, len(indices) - 1, min(count, len(indices))).astype(int)]


def save_sheet(path: Path, *args, **kwargs) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    sheet(*args, **kwargs).save(path, quality=90)
