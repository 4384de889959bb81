"""What makes an identity conspicuous: the quadratic form by which a draw of `z` changes the picture.

    python -m training.typical CHECKPOINT OUT.json --data FACES [--keep 0.6]

The face changes by about J·z when `z` leaves the middle, J being the same for all faces but for little. Draws that change brightness and colour
most are smears, blue shadows and moustaches on women; OUT holds a form F and a limit such that zᵀFz ≤ limit for the `keep` of all draws that
change least. The runtime draws again until it has one of those (src/infer/identity.ts).
"""
from __future__ import annotations

import argparse
import json
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from .data import FaceData, plain_views
from .identity import Z
from .model import composite
from .sheets import spread

_STEP = 3.0
"""Half the width of the differences: about where draws lie along one axis, beyond it identities aren't linear."""
_TO_YCC = torch.tensor([[0.299, 0.587, 0.114], [-0.1687, -0.3313, 0.5], [0.5, -0.4187, -0.0813]])


@torch.no_grad()
def conspicuousness(generator: torch.nn.Module, picture: Tensor, mask: Tensor, points: Tensor) -> np.ndarray:
    """-> F, Z×Z: zᵀFz is the expected square of the change, luma and both chromas counted alike; its mean over N(0, I) is 1."""

    def painted(z: Tensor) -> Tensor:
        face = composite(generator, picture, mask, points, z.expand(len(picture), -1))
        return F.avg_pool2d(torch.einsum("kc,nchw->nkhw", _TO_YCC, face) * mask, 2).transpose(0, 1).flatten(1)

    axes = torch.eye(Z)[:, None] * _STEP
    slopes = torch.stack([(painted(axis) - painted(-axis)) / (2 * _STEP) for axis in axes])
    forms = torch.einsum("zkp,ykp->kzy", slopes, slopes)
    return sum(form / form.trace() for form in forms).numpy() / len(forms)


def limit_for(form: np.ndarray, keep: float, draws: int = 200_000, seed: int = 0) -> float:
    z = np.random.default_rng(seed).standard_normal((draws, Z)).astype(np.float32)
    return float(np.quantile(((z @ form) * z).sum(1), keep))


def drawn(form: np.ndarray, limit: float, count: int, seed: int = 0) -> Tensor:
    """`count`×Z of N(0, I) within the limit."""
    rng, kept = np.random.default_rng(seed), []
    while len(kept) < count:
        z = rng.standard_normal(Z).astype(np.float32)
        if z @ form @ z <= limit:
            kept.append(z)
    return torch.from_numpy(np.stack(kept))


def main() -> None:
    from .checkpoint import load_generator

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("checkpoint", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--keep", type=float, default=0.6)
    parser.add_argument("--crops", type=int, default=16)
    a = parser.parse_args()
    data = FaceData(a.data)
    form = conspicuousness(load_generator(a.checkpoint)[0].eval(), *plain_views(data, spread(data.training, a.crops))).round(6)
    a.out.write_text(json.dumps({"keep": a.keep, "limit": round(limit_for(form, a.keep), 4), "form": np.float64(form).round(5).tolist()}) + "\n")
    print(a.out)


if __name__ == "__main__":
    main()
