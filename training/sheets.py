"""Contact sheets: what the network draws, to be looked at.

    python -m training.sheets CHECKPOINT OUT.png --data FACES [--faces 48] [--identities 3] [--truncation 1.0]
"""
from __future__ import annotations

import argparse
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
def sheet(generator: nn.Module, picture: Tensor, mask: Tensor, points: Tensor, identities: int = 4, truncation: float = 1.0, seed: int = 3) -> Image.Image:
    """Original; input with the line maps; one row for each identity drawn from N(0, truncation²·I)."""
    lines = F.interpolate(generator.lines(points), scale_factor=2)
    shown = (lines[:, :3] + lines[:, 3:]).clamp(0, 1) * 1.8 - 0.9
    z = torch.randn(identities, Z, generator=torch.Generator().manual_seed(seed)) * truncation
    rows = [picture, blanked(picture, mask) + mask * shown]
    rows += [composite(generator, picture, mask, points, one.expand(len(picture), -1)) for one in z]
    return grid(rows)


def spread(indices: np.ndarray, count: int) -> np.ndarray:
    """`count` of them, evenly."""
    return indices[np.linspace(0, len(indices) - 1, min(count, len(indices))).astype(int)]


def save_sheet(path: Path, *args, **kwargs) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    sheet(*args, **kwargs).save(path, quality=90)


def main() -> None:
    from .checkpoint import load_generator
    from .data import FaceData, plain_views

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("checkpoint", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--faces", type=int, default=48)
    parser.add_argument("--identities", type=int, default=3)
    parser.add_argument("--truncation", type=float, default=1.0, help="what is served: infer.truncation")
    parser.add_argument("--columns", type=int, default=12)
    a = parser.parse_args()
    data, (generator, _) = FaceData(a.data), load_generator(a.checkpoint)
    chosen = spread(data.validation if len(data.validation) else data.training, a.faces)
    bands = [
        np.asarray(sheet(generator.eval(), *plain_views(data, chosen[i : i + a.columns]), a.identities, a.truncation))
        for i in range(0, len(chosen), a.columns)
    ]
    width = max(b.shape[1] for b in bands)
    a.out.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.concatenate([np.pad(b, ((0, 8), (0, width - b.shape[1]), (0, 0))) for b in bands])).save(a.out)


if __name__ == "__main__":
    main()
