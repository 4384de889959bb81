"""Makes a narrower generator out of a trained one, which then teaches it.

    python -m training.slim CHECKPOINT OUT.pt --data FACES [--widths 32,80,160,256] [--images 20000] [--batch 16]

1. Of every group of channels that belong together (a level's additive stream, the channels between two convolutions) the ones that carry
   most are kept; what their readers lose is made up for by least squares on real crops.
2. The narrow one learns to paint what the wide one paints, of the same inputs (no discriminator: minutes, not hours).

OUT.pt is a checkpoint like any other, with the discriminator's heads of CHECKPOINT: `training.train` goes on from it.
"""
from __future__ import annotations

import argparse
import json
import math
import time
from pathlib import Path

import torch
from torch import Tensor, nn

from .checkpoint import load_generator, save_atomically
from .config import RunConfig
from .data import Batch, FaceData, batches, make_batch
from .features import ProjectedFeatures
from .losses import Jitter, feature_loss, pixel_loss
from .model import Generator, composite

_WARM_UP = 1000
"""Images until the learning rate is full."""

Group = tuple[tuple[str, ...], tuple[str, ...], tuple[str, ...]]
"""Layers that write the channels, modulations of them, layers that read them."""


def _level(size: int, below: int | None, readers: tuple[str, ...]) -> list[Group]:
    """The encoder's inner channels and the additive stream of a level that has an encoder, a decoder and a level `below` it."""
    first = "stem" if size == 64 else f"down{size}"
    blocks = (f"dec{size}", "last64") if size == 64 else (f"dec{size}",)
    convs = tuple(f"{b}.conv" for b in blocks)
    return [
        ((f"{first}.conv",), (), (f"enc{size}.conv",)),
        ((f"enc{size}.conv", f"up{size}", *convs), tuple(f"{b}.film" for b in blocks), (f"down{below}.conv", *convs, *readers)),
    ]


GROUPS: tuple[list[Group], ...] = (
    _level(64, 32, ("head",)),
    _level(32, 16, ("up64",)),
    _level(16, 8, ("up32",)),
    [(("down8.conv", "mid1.conv", "mid2.conv"), ("mid1.film", "mid2.film"), ("mid1.conv", "mid2.conv", "up16"))],
)
"""Per level, widest picture first, as `widths` are."""


@torch.no_grad()
def _input_moments(generator: Generator, layers: set[str], batch: Batch) -> dict[str, Tensor]:
    """Layer -> C×C second moment of its input channels."""
    moments: dict[str, Tensor] = {}

    def listen(name: str):
        def hook(_module, inputs):
            x = inputs[0].permute(1, 0, 2, 3).flatten(1)
            moments[name] = x @ x.T / x.shape[1]
        return hook

    hooks = [generator.get_submodule(name).register_forward_pre_hook(listen(name)) for name in layers]
    composite(generator, batch.picture, batch.mask, batch.points, batch.z)
    for hook in hooks:
        hook.remove()
    return moments


def _kept(generator: Generator, readers: tuple[str, ...], moments: dict[str, Tensor], count: int) -> Tensor:
    """Indices of the channels whose readers would miss them most."""
    missed = 0.0
    for name in readers:
        weight = generator.get_submodule(name).weight
        share = moments[name].diagonal() * weight.square().sum((0, 2, 3))
        missed = missed + share / share.sum()
    return missed.argsort(descending=True)[:count].sort().values


@torch.no_grad()
def narrowed(generator: Generator, widths: tuple[int, int, int, int], batch: Batch) -> Generator:
    """A generator of `widths` with the weights that matter most. Raises ValueError when a level would become wider."""
    if any(new > old for new, old in zip(widths, generator.widths)):
        raise ValueError(f"widths {widths} are not narrower than {generator.widths}")
    state = {k: v.clone() for k, v in generator.state_dict().items()}
    groups = [(group, count) for level, count in zip(GROUPS, widths) for group in level]
    moments = _input_moments(generator, {name for (_, _, readers), _ in groups for name in readers}, batch)
    for (writers, modulations, readers), count in groups:
        keep = _kept(generator, readers, moments, count)
        for name in writers:
            state[f"{name}.weight"], state[f"{name}.bias"] = state[f"{name}.weight"][keep], state[f"{name}.bias"][keep]
        for name in modulations:  # gain, then shift
            channels = len(state[f"{name}.bias"]) // 2
            both = torch.cat([keep, keep + channels])
            state[f"{name}.weight"], state[f"{name}.bias"] = state[f"{name}.weight"][both], state[f"{name}.bias"][both]
        for name in readers:
            m = moments[name].double()
            ridge = m[keep][:, keep] + torch.eye(count).double() * m.diagonal().mean() * 1e-3
            guess = torch.linalg.solve(ridge, m[keep]).float()  # the channels kept -> all of them
            state[f"{name}.weight"] = torch.einsum("ochw,kc->okhw", state[f"{name}.weight"], guess)
    narrow = Generator(widths)
    narrow.load_state_dict(state)
    return narrow


def teach(student: Generator, teacher: Generator, data: FaceData, config: RunConfig, rate: float = 4e-4) -> None:
    """Until `config.images`; the student ends as the average of its last steps."""
    features = ProjectedFeatures()
    for module in (student, teacher, features):
        module.to(memory_format=torch.channels_last)
    optimizer = torch.optim.Adam(student.parameters(), rate, (0.9, 0.99))
    average = torch.optim.swa_utils.AveragedModel(student, multi_avg_fn=torch.optim.swa_utils.get_ema_multi_avg_fn(0.995))
    began, seen, mean = time.monotonic(), 0, None
    for batch in batches(data, config, 0):
        if seen >= config.images:
            break
        for group in optimizer.param_groups:
            # Least squares starts it near; a full step with a young Adam would throw that away.
            group["lr"] = rate * min(1, (seen + 1) / _WARM_UP) * (0.02 + 0.98 * 0.5 * (1 + math.cos(math.pi * seen / config.images)))
        inputs = (batch.picture.contiguous(memory_format=torch.channels_last), batch.mask, batch.points, batch.z)
        with torch.no_grad():
            wanted = composite(teacher, *inputs)
        painted = composite(student, *inputs)
        jitter = Jitter.drawn(len(painted))
        with torch.no_grad():
            wanted_features = features(jitter(wanted))[0]
        pixels = pixel_loss(painted, wanted, batch.mask)
        loss = 3 * pixels + 3 * feature_loss(features(jitter(painted))[0], wanted_features, batch.mask)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        optimizer.step()
        average.update_parameters(student)
        mean = pixels.item() if mean is None else 0.98 * mean + 0.02 * pixels.item()
        if seen // 1000 != (seen + len(painted)) // 1000:
            print(json.dumps({"seen": seen, "pixels": round(mean, 4), "rate": round(seen / (time.monotonic() - began), 1)}), flush=True)
        seen += len(painted)
    student.load_state_dict(average.module.state_dict())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("checkpoint", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--widths", default="32,80,160,256")
    parser.add_argument("--images", type=int, default=20_000)
    parser.add_argument("--batch", type=int, default=16)
    parser.add_argument("--threads", type=int, default=2)
    a = parser.parse_args()
    torch.set_num_threads(a.threads)
    torch.manual_seed(0)
    teacher, seen = load_generator(a.checkpoint)
    teacher.requires_grad_(False)
    data = FaceData(a.data, {"celeba": 0.40, "ffhq128": 0.08})
    config = RunConfig(images=a.images, batch=a.batch)
    student = narrowed(teacher, tuple(int(w) for w in a.widths.split(",")), make_batch(data, RunConfig(batch=64), 0))
    teach(student, teacher, data, config)
    state = torch.load(a.checkpoint, map_location="cpu", weights_only=True)
    save_atomically(state | {"generator_average": {k: v.half() for k, v in student.state_dict().items()}}, a.out)
    print(f"{a.out}: widths {a.widths}, its teacher had seen {seen} images")


if __name__ == "__main__":
    main()
