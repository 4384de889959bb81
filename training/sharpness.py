"""How sharp faces of 256² are, and how much like photographs, with and without the detail: on crops it was not trained on.

    python -m training.sharpness GENERATOR.pt DETAIL.pt --data SHARP [--windows 4] [--strength 1.0]

One JSON line. `kid`: EfficientNet-Lite1 features of windows of 128² in the face, photographs against generated ones, ×1000, mean of 100
subsets. `fine`: energy of what a halved picture cannot hold, inside the mask, of the photographs' own. `coarse`: RMS change, of 255, of the
face at 64². `flicker`: RMS change, of 255, when the points get noise of 0.3 px, as in training.compare.
"""
from __future__ import annotations

import argparse
import json
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from .checkpoint import load_generator
from .config import Augmentation
from .detail import Detail, enlarged, load_detail, paint
from .evaluate import feature_vectors, kernel_distance, scaled, to_bytes
from .identity import Z
from .model import Generator
from .sharp_data import SharpBatch, SharpData, sharp_batch

_NOISE_PX = 0.3
_CHUNK = 32


def fine_energy(picture: Tensor, weight: Tensor) -> float:
    """Mean square of luma less its own half-size version, where `weight` is."""
    luma = picture.mean(1, keepdim=True)
    rest = (luma - enlarged(F.avg_pool2d(luma, 2))).square()
    return float((rest * weight).sum() / weight.sum())


@torch.no_grad()
def faces(generator: Generator, detail: Detail, batch: SharpBatch, points: Tensor, z: Tensor) -> tuple[Tensor, Tensor]:
    """In their pictures at 256²: only enlarged, and with detail."""
    small = paint(generator, batch.small, batch.mask, points, z)
    weight, plain = enlarged(batch.mask), enlarged(small)
    fine = (plain + detail(small, generator.lines(points))).clamp(-1, 1)
    return tuple(batch.large + weight * (face - batch.large) for face in (plain, fine))


def measure(generator: Generator, detail: Detail, data: SharpData, windows: int = 4, seed: int = 0) -> dict[str, float]:
    rng = np.random.default_rng(seed)
    still = Augmentation(rotation_deg=0, scale=0, shift_px=0, landmark_noise_px=_NOISE_PX)
    chosen = np.repeat(data.validation if len(data.validation) else data.training, windows)
    shown, energy, coarse, change = ([], [], []), [], [], ([], [])
    for start in range(0, len(chosen), _CHUNK):
        batch = sharp_batch(data, chosen[start : start + _CHUNK], still, rng)
        z = torch.from_numpy(rng.standard_normal((len(batch), Z)).astype(np.float32))
        weight = enlarged(batch.mask)
        first, again = faces(generator, detail, batch, batch.points, z), faces(generator, detail, batch, batch.noisy, z)
        for kept, pictures in zip(shown, (batch.large, *first)):
            kept.append(to_bytes(batch.windows(pictures)))
        energy.append([fine_energy(x, weight) for x in (batch.large, *first)])
        coarse.append(float(F.avg_pool2d(first[1] - first[0], 4).square().mean()))
        for kept, a, b in zip(change, first, again):
            kept.append(float(((a - b).square() * weight).sum() / (3 * weight.sum())))
    photographs, *others = (np.concatenate(s) for s in shown)
    real = feature_vectors(photographs)
    total = np.mean(energy, 0)
    return {
        "n": len(chosen),
        **{f"kid_{k}": kernel_distance(*scaled(real, feature_vectors(v))) for k, v in zip(("enlarged", "detailed"), others)},
        **{f"fine_{k}": total[i] / total[0] for i, k in ((1, "enlarged"), (2, "detailed"))},
        "coarse": float(np.sqrt(np.mean(coarse)) * 127.5),
        **{f"flicker_{k}": float(np.sqrt(np.mean(v)) * 127.5) for k, v in zip(("enlarged", "detailed"), change)},
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("generator", type=Path)
    parser.add_argument("detail", type=Path)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--windows", type=int, default=4, help="per crop, each with another identity")
    parser.add_argument("--strength", type=float, default=1.0)
    a = parser.parse_args()
    figures = measure(load_generator(a.generator)[0].eval(), load_detail(a.detail, a.strength), SharpData(a.data), a.windows)
    print(json.dumps({k: round(v, 3) for k, v in figures.items()}))


if __name__ == "__main__":
    main()
