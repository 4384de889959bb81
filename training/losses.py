"""What the generator and the discriminator are asked for."""
from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from .config import RunConfig
from .data import Batch, warp_back

_FEATURE_SCALES = {1: 11.0, 2: 7.0, 3: 3.4}
"""Typical magnitude of Lite0's features at strides 4, 8 and 16, so that each counts alike."""


@dataclass
class Jitter:
    """Brightness, contrast and saturation per picture; the same for real and generated, so that colour alone decides nothing."""

    shift: Tensor
    contrast: Tensor
    saturation: Tensor

    @classmethod
    def drawn(cls, n: int) -> Jitter:
        r = torch.rand(3, n, 1, 1, 1)
        return cls(r[0] * 0.3 - 0.15, r[1] * 0.4 + 0.8, r[2] * 0.6 + 0.7)

    def __call__(self, x: Tensor) -> Tensor:
        gray = x.mean(1, keepdim=True)
        x = gray + (x - gray) * self.saturation
        mean = x.mean((1, 2, 3), keepdim=True)
        return mean + (x - mean) * self.contrast + self.shift


def discriminator_loss(real: list[Tensor], fake: list[Tensor]) -> Tensor:
    return sum(F.relu(1 - r).mean() + F.relu(1 + f).mean() for r, f in zip(real, fake)) / len(real)


def adversarial_loss(fake: list[Tensor]) -> Tensor:
    return -sum(f.mean() for f in fake) / len(fake)


def pixel_loss(generated: Tensor, wanted: Tensor, mask: Tensor) -> Tensor:
    """Mean absolute difference inside the mask."""
    return ((generated - wanted).abs() * mask).sum() / (mask.sum() * generated.shape[1]).clamp(min=1)


def feature_loss(generated: list[Tensor], wanted: list[Tensor], mask: Tensor) -> Tensor:
    """The same on frozen features."""
    total = 0.0
    for level, scale in _FEATURE_SCALES.items():
        a, b = generated[level], wanted[level]
        weight = F.avg_pool2d(mask, mask.shape[-1] // a.shape[-1])
        difference = ((a - b).abs() * weight).sum((1, 2, 3)) / (weight.sum((1, 2, 3)) * a.shape[1] + 1e-3)
        total = total + difference.mean() / scale
    return total / len(_FEATURE_SCALES)


def views_loss(generated: Tensor, batch: Batch) -> Tensor:
    """Two views of one picture with one identity, brought onto each other, at half size (the finest grain may differ)."""
    first, second = slice(batch.own, batch.own + batch.pairs), slice(batch.own + batch.pairs, None)
    back = warp_back(generated[second], batch.between)
    both = batch.mask[first] * warp_back(batch.mask[second], batch.between)
    difference = F.avg_pool2d((generated[first] - back).abs() * both, 2)
    return difference.sum() / (F.avg_pool2d(both, 2).sum() * 3).clamp(min=1)


def still_loss(generated: Tensor, batch: Batch) -> Tensor:
    """Two frames of a picture that stands still, with the landmarks found anew: the whole grain must stay."""
    first, second = slice(batch.own, batch.own + batch.pairs), slice(batch.own + batch.pairs, None)
    return pixel_loss(generated[first], generated[second], batch.mask[first])


def landmark_loss(found: Tensor, wanted: Tensor) -> Tensor:
    """Mean |Δx| and |Δy| over the inter-ocular distance; the contour, which the labels know least well, counts half."""
    eyes = (wanted[:, 42:48].mean(1) - wanted[:, 36:42].mean(1)).norm(dim=1).view(-1, 1, 1)
    weight = torch.ones(68, 1)
    weight[:17] = 0.5
    return ((found - wanted[:, :68]).abs() / eyes * weight).mean()


class IdentityTarget:
    """From `z` to the embedding it stands for, unit length."""

    def __init__(self, mean, components, sd):
        self.mean, self.components, self.sd = (torch.as_tensor(v) for v in (mean, components, sd))

    def __call__(self, z: Tensor) -> Tensor:
        return F.normalize(self.mean + (z * self.sd) @ self.components, dim=1)


@dataclass
class IdentityLosses:
    identity: Tensor
    away: Tensor
    apart: Tensor
    reached: Tensor
    """Mean cosine to the wanted embedding."""
    original: Tensor
    """Mean cosine to the person replaced."""
    common: Tensor
    """Mean cosine of two identities on one picture; NaN in a batch of two views."""


def identity_losses(embedded: Tensor, batch: Batch, target: IdentityTarget, config: RunConfig) -> IdentityLosses:
    """`embedded`: recognizer's view of the rows after `own`. Each must become its target; more like the original, or like another
    identity on the same picture, than the targets themselves are, costs extra."""
    wanted = target(batch.z[batch.own :])
    people = batch.people[batch.own :]
    reached = (embedded * wanted).sum(1)
    original = (embedded * people).sum(1)
    away = F.relu(original - (wanted * people).sum(1).clamp(min=0)).mean()
    apart, common = torch.zeros(()), torch.tensor(float("nan"))
    if batch.between is None and batch.pairs:
        n = batch.pairs
        alike = (embedded[:n] * embedded[n:]).sum(1)
        apart = F.relu(alike - (wanted[:n] * wanted[n:]).sum(1).clamp(min=0)).mean()
        common = alike.detach().mean()
    return IdentityLosses(
        F.relu(config.identity_goal - reached).mean(), away, apart, reached.detach().mean(), original.detach().mean(), common
    )
