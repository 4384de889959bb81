"""The generator: context blank inside the mask, landmarks, a 4×4 colour guide and an identity -> a face (docs/architecture.md)."""
from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from .geometry import LANDMARKS, SIZE
from .identity import Z
from .quantization import QuantConv2d

TRUNK = SIZE // 2
SLOPE = 0.2
WIDTHS = (48, 96, 160, 256)
INPUTS = ("context", "mask", "landmarks", "guide", "z")
OUTPUT = "face"


def _chains(*chains: list[int]) -> list[tuple[int, int]]:
    return [pair for chain in chains for pair in zip(chain[:-1], chain[1:])]


_SEGMENTS = (
    _chains([*range(17)]),
    _chains([*range(17, 22)], [*range(22, 27)], [*range(27, 31)], [*range(31, 36)]),
    _chains([*range(36, 42), 36], [*range(42, 48), 42], [*range(48, 60), 48], [*range(60, 68), 60]),
)
"""Contour; brows and nose; eyes and lips."""


class LineMaps(nn.Module):
    """Draws points as soft lines, so that training and serving cannot differ: N×70×2 field pixels -> N×4×64×64 in [0, 1].

    A line is a row of Gaussians a step apart, weighed so that they add up to 1 on it. A Gaussian is a product of one in x and one in y, so
    all of them are drawn by one matrix product: a ninth of the time that distances to segments take."""

    def __init__(self, size: int = TRUNK, field: int = SIZE, sigma: float = 1.3, pupil_sigma: float = 2.2, steps: tuple[int, ...] = (6, 5, 4)):
        super().__init__()
        self.register_buffer("axis", (torch.arange(size).float() + 0.5) * (field / size) - 0.5, persistent=False)
        for i, (segments, count) in enumerate(zip(_SEGMENTS, steps)):
            self.register_buffer(f"from{i}", torch.tensor([a for a, _ in segments]), persistent=False)
            self.register_buffer(f"to{i}", torch.tensor([b for _, b in segments]), persistent=False)
            self.register_buffer(f"along{i}", ((torch.arange(count).float() + 0.5) / count).view(1, 1, -1, 1), persistent=False)
        self.sigma, self.pupil_sigma = sigma, pupil_sigma

    def _drawn(self, centres: Tensor, weights: Tensor | None, sigma: float) -> Tensor:
        """N×P×2 centres, N×P×1 weights -> N×1×64×64."""
        across = torch.exp(-(((self.axis - centres[:, :, :1]) / sigma) ** 2))
        down = torch.exp(-(((self.axis - centres[:, :, 1:]) / sigma) ** 2))
        if weights is not None:
            across = across * weights
        return (down.transpose(1, 2) @ across).clamp(max=1)[:, None]

    def forward(self, points: Tensor) -> Tensor:
        maps = []
        for i in range(len(_SEGMENTS)):
            along = getattr(self, f"along{i}")
            a = points[:, getattr(self, f"from{i}")]
            v = points[:, getattr(self, f"to{i}")] - a
            centres = (a[:, :, None] + v[:, :, None] * along).flatten(1, 2)
            step = (v * v).sum(2, keepdim=True).sqrt() / along.shape[2]
            weights = (step / (self.sigma * math.pi**0.5))[:, :, None].expand(-1, -1, along.shape[2], -1).flatten(1, 2)
            maps.append(self._drawn(centres, weights, self.sigma))
        maps.append(self._drawn(points[:, LANDMARKS:], None, self.pupil_sigma))
        return torch.cat(maps, 1)


def colour_guide(picture: Tensor, mask: Tensor) -> Tensor:
    """N×3×128² in [-1, 1] and N×1×128² -> N×3×4×4: mean of the masked pixels a cell, in steps of 1/16 of the range (src/infer/guide.ts)."""
    cell = picture.shape[-1] // 4
    weight = F.avg_pool2d(mask, cell)
    own = F.avg_pool2d(picture * mask, cell) / weight.clamp(min=1e-6)
    mean = (picture * mask).sum((2, 3), keepdim=True) / mask.sum((2, 3), keepdim=True).clamp(min=1)
    share = (4 * weight).clamp(max=1)
    return torch.round((own * share + mean * (1 - share)) * 8) / 8


class Block(nn.Module):
    """3×3 convolution; with an identity: pixel norm and feature-wise modulation; leaky ReLU."""

    def __init__(self, inputs: int, outputs: int, stride: int = 1, identity: bool = False):
        super().__init__()
        self.conv = QuantConv2d(inputs, outputs, 3, stride, 1)
        self.film = nn.Linear(2 * Z, 2 * outputs) if identity else None
        if self.film:
            nn.init.zeros_(self.film.weight)
            nn.init.zeros_(self.film.bias)

    def forward(self, x: Tensor, w: Tensor | None = None) -> Tensor:
        x = self.conv(x)
        if self.film:
            gain, shift = self.film(w)[:, :, None, None].chunk(2, 1)
            x = x * torch.rsqrt(self._mean_square(x) + 1e-4) * (1 + gain) + shift
        return F.leaky_relu(x, SLOPE)

    def _mean_square(self, x: Tensor) -> Tensor:
        """Over the channels. ONNX Runtime reduces over channels slowly; as a convolution it keeps its blocked layout."""
        if torch.onnx.is_in_onnx_export():
            channels = self.conv.out_channels
            return F.conv2d(x * x, torch.full((1, channels, 1, 1), 1 / channels))
        return (x * x).mean(1, keepdim=True)


def _up(x: Tensor) -> Tensor:
    return F.interpolate(x, scale_factor=2, mode="bilinear", align_corners=False)


def icnr_(conv: nn.Conv2d, factor: int = 2) -> None:
    """The sub-pixels of a pixel shuffle start equal: otherwise its output starts as a checkerboard."""
    group = factor * factor
    with torch.no_grad():
        for parameter in (conv.weight, conv.bias):
            grouped = parameter.view(parameter.shape[0] // group, group, *parameter.shape[1:])
            grouped.copy_(grouped[:, :1].clone().expand_as(grouped))


class Generator(nn.Module):
    """U-net on 64² with an identity in every decoder block; a pixel shuffle brings the last level to 128²."""

    def __init__(self, widths: tuple[int, int, int, int] = WIDTHS):
        super().__init__()
        self.widths = c64, c32, c16, c8 = widths
        self.lines = LineMaps()
        self.mapping = nn.Sequential(nn.Linear(Z, 2 * Z), nn.LeakyReLU(SLOPE), nn.Linear(2 * Z, 2 * Z), nn.LeakyReLU(SLOPE))
        self.stem = Block(16 + 4 + 3, c64)
        self.enc64 = Block(c64, c64)
        self.down32, self.enc32 = Block(c64, c32, 2), Block(c32, c32)
        self.down16, self.enc16 = Block(c32, c16, 2), Block(c16, c16)
        self.down8 = Block(c16, c8, 2)
        self.mid1, self.mid2 = Block(c8, c8, identity=True), Block(c8, c8, identity=True)
        self.up16, self.dec16 = QuantConv2d(c8, c16, 1), Block(c16, c16, identity=True)
        self.up32, self.dec32 = QuantConv2d(c16, c32, 1), Block(c32, c32, identity=True)
        self.up64, self.dec64 = QuantConv2d(c32, c64, 1), Block(c64, c64, identity=True)
        self.last64 = Block(c64, c64, identity=True)
        self.head = QuantConv2d(c64, 64, 3, 1, 1)
        self.fine = QuantConv2d(16, 16, 3, 1, 1)
        self.out = QuantConv2d(16, 3, 3, 1, 1)
        icnr_(self.head)

    def forward(self, context: Tensor, mask: Tensor, landmarks: Tensor, guide: Tensor, z: Tensor) -> Tensor:
        """Shapes as in docs/architecture.md -> N×3×128×128 in [-1, 1]. `context` is taken as it is: blank it with `blanked`."""
        return self.paint(context, mask, self.lines(landmarks), guide, z)

    def paint(self, context: Tensor, mask: Tensor, lines: Tensor, guide: Tensor, z: Tensor) -> Tensor:
        """As `forward`, of line maps that are drawn already."""
        w = self.mapping(z)
        tone = F.interpolate(guide, size=(TRUNK, TRUNK), mode="bilinear", align_corners=False)
        x = torch.cat([self.sorted_out(torch.cat([context, mask * 2 - 1], 1)), lines, tone], 1)
        e64 = self.enc64(self.stem(x))
        e32 = self.enc32(self.down32(e64))
        e16 = self.enc16(self.down16(e32))
        x = self.down8(e16)
        x = x + self.mid1(x, w)
        x = x + self.mid2(x, w)
        x = _up(self.up16(x)) + e16
        x = x + self.dec16(x, w)
        x = _up(self.up32(x)) + e32
        x = x + self.dec32(x, w)
        x = _up(self.up64(x)) + e64
        x = x + self.dec64(x, w)
        x = x + self.last64(x, w)
        x = F.leaky_relu(self.doubled(x), SLOPE)
        x = F.leaky_relu(self.fine(x), SLOPE)
        # ONNX Runtime merges a tanh that follows a convolution into it, and then takes it of 16 channels instead of 3.
        return torch.tanh(self.coloured(x).float().flatten(2)).unflatten(2, (SIZE, SIZE))

    # training.generator_graph serves these three in another way.

    def sorted_out(self, x: Tensor) -> Tensor:
        """The four phases of a picture of 128² as channels."""
        return F.pixel_unshuffle(x, 2)

    def doubled(self, x: Tensor) -> Tensor:
        return F.pixel_shuffle(self.head(x), 2)

    def coloured(self, x: Tensor) -> Tensor:
        return self.out(x)


def blanked(picture: Tensor, mask: Tensor) -> Tensor:
    """The only way a picture becomes a context: nothing is left inside the mask."""
    return picture * (1 - mask)


def composite(generator: nn.Module, picture: Tensor, mask: Tensor, landmarks: Tensor, z: Tensor) -> Tensor:
    """The picture with the generated face in the mask; of the face below only the colour guide is seen."""
    context = blanked(picture, mask)
    return context + mask * generator(context, mask, landmarks, colour_guide(picture, mask), z)


_FIRST_NAMES = {
    "map": "mapping", "stem.c": "stem.conv", "e0.c": "enc64.conv", "d1.c": "down32.conv", "e1.c": "enc32.conv",
    "d2.c": "down16.conv", "e2.c": "enc16.conv", "d3.c": "down8.conv", "m1.c": "mid1.conv", "m2.c": "mid2.conv",
    "m1.z": "mid1.film", "m2.z": "mid2.film", "u2": "up16", "f2.c": "dec16.conv", "f2.z": "dec16.film", "u1": "up32",
    "f1.c": "dec32.conv", "f1.z": "dec32.film", "u0": "up64", "f0.c": "dec64.conv", "f0.z": "dec64.film",
    "g0.c": "last64.conv", "g0.z": "last64.film", "h": "head", "h2": "fine", "o": "out",
}


def renamed(state: dict[str, Tensor]) -> dict[str, Tensor]:
    """Weights of the first checkpoint, whose layers had shorter names, under today's; others pass unchanged."""
    if "stem.c.weight" not in state:
        return state
    out = {}
    for key, value in state.items():
        prefix = max((p for p in _FIRST_NAMES if key.startswith(p + ".")), key=len)
        out[_FIRST_NAMES[prefix] + key[len(prefix) :]] = value
    return out


def widths_of(state: dict[str, Tensor]) -> tuple[int, int, int, int]:
    """Channels per level of the generator whose weights these are."""
    state = renamed(state)
    c64, c32, c16, c8 = (state[f"{name}.conv.bias"].shape[0] for name in ("stem", "down32", "down16", "down8"))
    return c64, c32, c16, c8


def load_weights(model: nn.Module, state: dict[str, Tensor]) -> None:
    """Weights in any precision; only ranges for int8 may be missing. Raises ValueError otherwise."""
    missing, unexpected = model.load_state_dict({k: v.float() for k, v in renamed(state).items()}, strict=False)
    lacking = [k for k in missing if not k.endswith((".low", ".high"))]
    if lacking or unexpected:
        raise ValueError(f"the checkpoint is of another architecture: missing {lacking}, unexpected {unexpected}")
