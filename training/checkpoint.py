"""Two kinds of file: a run's whole state (to go on exactly), and a small fp16 one (to start others from)."""
from __future__ import annotations

import os
from pathlib import Path
from typing import NamedTuple

import torch
from torch import Tensor, nn

from . import discriminator as discriminators
from .features import ProjectedFeatures
from .model import Generator, load_weights, widths_of


def save_atomically(state: dict, path: Path) -> None:
    """A crash while writing leaves the old file."""
    part = path.with_suffix(".part")
    torch.save(state, part)
    os.replace(part, path)


def half(state: dict) -> dict:
    return {k: v.half() if v.is_floating_point() else v for k, v in state.items()}


def save_start(
    path: Path, average: nn.Module, heads: nn.Module, features: ProjectedFeatures, seen: int, closeups: dict[str, nn.Module] | None = None
) -> None:
    """≤ 10 MB: averaged generator, discriminator heads, mixing layers, images seen; `closeups`: heads that look at one place, if there are any."""
    save_atomically(
        {
            "generator_average": half(average.state_dict()),
            "discriminator_heads": half(heads.state_dict()),
            "projection_mixing": half(features.mixing_state()),
            "seen": seen,
            **{_heads_of(place): half(judge.state_dict()) for place, judge in (closeups or {}).items()},
        },
        path,
    )


def _heads_of(place: str) -> str:
    return "eye_heads" if place == "eyes" else f"{place}_heads"


def _built(weights: dict[str, Tensor]) -> Generator:
    generator = Generator(widths_of(weights))
    load_weights(generator, weights)
    return generator


class Start(NamedTuple):
    generator: Generator
    """As wide as it was saved."""
    seen: int
    new: frozenset[str]
    """Places for whose heads the file holds nothing."""


def load_start(path: Path, heads: nn.Module, features: ProjectedFeatures, closeups: dict[str, nn.Module] | None = None) -> Start:
    """Fills `heads`, the mixing layers and `closeups`. Raises ValueError when the file is of another architecture."""
    state = torch.load(path, map_location="cpu", weights_only=True)
    heads.load_state_dict({k: v.float() for k, v in discriminators.renamed(state["discriminator_heads"]).items()})
    features.load_mixing({k: v.float() for k, v in state["projection_mixing"].items()})
    new = set()
    for place, judge in (closeups or {}).items():
        if _heads_of(place) in state:
            judge.load_state_dict({k: v.float() for k, v in state[_heads_of(place)].items()})
        else:
            new.add(place)
    return Start(_built(state["generator_average"]), int(state["seen"]), frozenset(new))


def load_generator(path: Path) -> tuple[Generator, int]:
    """The averaged generator of either kind of file, and images seen."""
    state = torch.load(path, map_location="cpu", weights_only=True)
    return _built(state["generator_average"] if "generator_average" in state else state["average"]), int(state["seen"])
