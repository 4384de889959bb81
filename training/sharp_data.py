"""Sharp crops (320²: the canonical field at 256 pixels with a margin of 32) as samples of both sizes at once."""
from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from .config import Augmentation
from .data import is_dark, random_tones, with_share
from .detail import DETAIL_SIZE
from .geometry import LANDMARKS, UNKNOWN, apply, face_mask, mirrored

WINDOW = 128
"""Side of what the discriminator sees of a face of 256²."""
_STORED = 320
_ENLARGED_WEIGHT = 0.25
"""Of a crop whose picture had fewer pixels than it: it is a little soft."""

_DARK_SHARE = 0.15
"""Of the samples, where the pictures have less."""


class SharpData:
    """A folder made by `training.prepare crops sharp.tar`. Raises FileNotFoundError or ValueError when it is not one."""

    def __init__(self, folder: Path):
        for name in ("faces.npy", "labels.npz"):
            if not (folder / name).exists():
                raise FileNotFoundError(f"{folder / name} is missing: make the folder with `python -m training.prepare crops`")
        self.faces = np.load(folder / "faces.npy", mmap_mode="r")
        if self.faces.shape[1] != _STORED:
            raise ValueError(f"{folder} holds crops of {self.faces.shape[1]} pixels: the detail needs {_STORED}")
        labels = np.load(folder / "labels.npz")
        self.points = np.concatenate([labels["landmarks"], labels["pupils"]], 1).astype(np.float32)
        good = np.isfinite(self.points[:, :LANDMARKS]).all((1, 2))
        self.training = np.nonzero(good & ~labels["val"])[0]
        self.validation = np.nonzero(good & labels["val"])[0]
        weight = np.where(labels["side"][self.training] >= DETAIL_SIZE, 1.0, _ENLARGED_WEIGHT)
        dark = np.array([is_dark(self.faces[i], self.points[i]) for i in self.training], bool)
        self.probability = with_share(weight / weight.sum(), dark, _DARK_SHARE)


@dataclass
class SharpBatch:
    large: Tensor
    """N×3×256² in [−1, 1]."""
    small: Tensor
    """The same, 2×2 pixels averaged."""
    mask: Tensor
    """N×1×128²."""
    points: Tensor
    """N×70×2, pixels of `small`."""
    noisy: Tensor
    """The same with a landmark model's noise drawn anew."""
    corner: list[tuple[int, int]]
    """Left and top of each picture's window, multiples of 4."""

    def __len__(self) -> int:
        return len(self.large)

    def windows(self, x: Tensor) -> Tensor:
        """N×C×(256², 128² or 64²) -> the windows, in the same resolution."""
        f = DETAIL_SIZE // x.shape[-1]
        side = WINDOW // f
        return torch.stack([p[:, top // f : top // f + side, left // f : left // f + side] for p, (left, top) in zip(x, self.corner)])


def _view(data: SharpData, index: int, a: Augmentation, rng: np.random.Generator | None):
    turn, scale, shift, flip = 0.0, 1.0, np.zeros(2), False
    if rng is not None:
        turn, scale = np.deg2rad(rng.uniform(-a.rotation_deg, a.rotation_deg)), np.exp(rng.uniform(-a.scale, a.scale))
        shift, flip = 2 * rng.uniform(-a.shift_px, a.shift_px, 2), rng.random() < 0.5
    cos, sin = np.cos(turn) * scale, np.sin(turn) * scale
    axes = np.array([[cos, -sin], [sin, cos]])
    origin = (DETAIL_SIZE - 1) / 2 + shift - axes @ np.full(2, (_STORED - 1) / 2)
    matrix = np.concatenate([axes, origin[:, None]], 1).astype(np.float32)
    large = cv2.warpAffine(data.faces[index], matrix, (DETAIL_SIZE, DETAIL_SIZE), flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REFLECT)
    points = apply(matrix, data.points[index])
    if rng is not None and rng.random() < a.tone:
        tones = random_tones(rng, large[DETAIL_SIZE // 3 : 2 * DETAIL_SIZE // 3, DETAIL_SIZE // 3 : 2 * DETAIL_SIZE // 3])
        large = cv2.LUT(large, tones[None])
    if flip:
        large, points = np.ascontiguousarray(large[:, ::-1]), mirrored(points, DETAIL_SIZE)
    return large, ((points + 0.5) / 2 - 0.5).astype(np.float32)


def sharp_batch(data: SharpData, indices: np.ndarray, a: Augmentation, rng: np.random.Generator | None) -> SharpBatch:
    """Augmented by `rng`; as they are, windows in the middle, without one."""
    views = [_view(data, int(i), a, rng) for i in indices]
    large = torch.from_numpy(np.stack([v[0] for v in views])).permute(0, 3, 1, 2).float() / 127.5 - 1
    points = np.stack([v[1] for v in views])
    mask = np.stack([face_mask(p[:LANDMARKS]) for p in points])
    noise = np.zeros((2, *points.shape), np.float32) if rng is None else rng.standard_normal((2, *points.shape)) * a.landmark_noise_px
    seen = [np.where(np.isfinite(points), points + n, UNKNOWN).astype(np.float32) for n in noise]
    steps = (DETAIL_SIZE - WINDOW) // 4
    # The middle of the field more often than its corners: the face is there.
    at = np.full((len(views), 2), steps // 2) if rng is None else rng.binomial(4, 0.5, (len(views), 2)) * steps // 4
    return SharpBatch(
        large, F.avg_pool2d(large, 2), torch.from_numpy(mask)[:, None].float(), torch.from_numpy(seen[0]), torch.from_numpy(seen[1]),
        [(4 * int(x), 4 * int(y)) for x, y in at],
    )
