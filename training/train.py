"""Trains the generator.

    python -m training.train training/runs/fine.toml OUT [--images N] [--minutes M]

OUT gets `state.pt` (to go on exactly where it stopped: run the same command again), `log.jsonl`, sheets, and `checkpoint-fp16.pt`.
Stops after --images, or after --minutes, or at SIGTERM, having saved.
"""
from __future__ import annotations

import argparse
import copy
import json
import math
import signal
import time
from pathlib import Path

import torch

from .checkpoint import load_start, save_atomically, save_start
from .closeups import HEIGHT, PLACES, WIDTH, WindowDiscriminator, windows
from .config import RunConfig, load_config
from .data import Batch, FaceData, batches, plain_views
from .discriminator import Discriminator
from .features import ProjectedFeatures
from .losses import (
    IdentityTarget,
    Jitter,
    adversarial_loss,
    discriminator_loss,
    feature_loss,
    identity_losses,
    landmark_loss,
    pixel_loss,
    still_loss,
    views_loss,
)
from .model import Generator, composite
from .quantization import INT8_LAYERS, set_fake_quant
from .recognizer import DifferentiableLandmarks, DifferentiableRecognizer
from .sheets import save_sheet, spread

_NOISE = 0.03
"""Added before the recognizer, so that it can't be fooled by single pixels."""
_ALIGNMENT_JITTER_PX = 1.4
_CROP_JITTER = 0.03
_CLOSEUPS_WARM_UP = 1500
"""Images until heads that look at one place, where they are new, count in full: before that they know nothing."""


class Trainer:
    """Everything a step changes, and the step."""

    def __init__(self, config: RunConfig, data: FaceData):
        torch.set_num_threads(config.threads)
        torch.manual_seed(config.seed)
        self.config, self.data = config, data
        self.features, self.discriminator = ProjectedFeatures(), Discriminator()
        self.closeups = {place: WindowDiscriminator(place) for place in PLACES if getattr(config.weights, place)}
        self.new_closeups = frozenset(self.closeups)
        self.recognizer, self.landmarks = DifferentiableRecognizer(), DifferentiableLandmarks()
        identities = data.identities
        self.target = IdentityTarget(identities.mean, identities.components, identities.sd)
        self.seen = self.step_count = self.base_seen = 0
        if config.start:
            start = load_start(Path(config.start), self.discriminator, self.features, self.closeups)
            self.generator, self.base_seen, self.new_closeups = start.generator, start.seen, start.new
        else:
            self.generator = Generator()
        for module in (self.generator, self.features, *self.judges):
            module.to(memory_format=torch.channels_last)
        self.average = copy.deepcopy(self.generator).eval()
        betas = (0.0, 0.99)
        self.generator_optimizer = torch.optim.Adam(self.generator.parameters(), config.generator_rate, betas=betas)
        groups = [{"params": list(self.discriminator.parameters()), "of_rate": 1.0}]
        groups += [{"params": list(judge.parameters()), "of_rate": config.closeups_rate} for judge in self.closeups.values()]
        self.discriminator_optimizer = torch.optim.Adam(groups, config.discriminator_rate, betas=betas)

    @property
    def judges(self) -> list[torch.nn.Module]:
        return [self.discriminator, *self.closeups.values()]

    def state(self) -> dict:
        return {
            **{place: judge.state_dict() for place, judge in self.closeups.items()},
            "generator": self.generator.state_dict(), "average": self.average.state_dict(),
            "discriminator": self.discriminator.state_dict(), "mixing": self.features.mixing_state(),
            "generator_optimizer": self.generator_optimizer.state_dict(),
            "discriminator_optimizer": self.discriminator_optimizer.state_dict(),
            "seen": self.seen + self.base_seen, "run_seen": self.seen, "step": self.step_count,
        }

    def restore(self, state: dict) -> None:
        self.generator.load_state_dict(state["generator"])
        self.average.load_state_dict(state["average"])
        self.discriminator.load_state_dict(state["discriminator"])
        for place, judge in self.closeups.items():
            judge.load_state_dict(state[place])
        self.features.load_mixing(state["mixing"])
        self.generator_optimizer.load_state_dict(state["generator_optimizer"])
        self.discriminator_optimizer.load_state_dict(state["discriminator_optimizer"])
        self.seen, self.step_count = state["run_seen"], state["step"]
        self.base_seen = state["seen"] - self.seen

    def _prepare_step(self) -> None:
        c = self.config
        # Random numbers depend on the step alone: a resumed run draws the same ones.
        torch.manual_seed(c.seed * 1_000_003 + self.step_count)
        done = min(1.0, self.seen / c.images)
        factor = c.last_rate + (1 - c.last_rate) * 0.5 * (1 + math.cos(math.pi * done))
        for optimizer, rate in ((self.generator_optimizer, c.generator_rate), (self.discriminator_optimizer, c.discriminator_rate)):
            for group in optimizer.param_groups:
                group["lr"] = rate * factor * group.get("of_rate", 1.0)
        layers = INT8_LAYERS if 0 <= c.quantize_from <= self.seen else ()
        for model in (self.generator, self.average):
            set_fake_quant(model, layers)

    def step(self, batch: Batch) -> dict[str, float]:
        """One update of both networks -> named losses."""
        self._prepare_step()
        c, w, own = self.config, self.config.weights, batch.own
        picture = batch.picture.contiguous(memory_format=torch.channels_last)
        mask, points = batch.mask, batch.points
        with torch.no_grad():
            lines = self.generator.lines(points)
        alone = self.seen < c.judges_first
        with torch.set_grad_enabled(not alone):
            generated = composite(self.generator, picture, mask, points, batch.z)
        jitter = Jitter.drawn(len(picture))
        real, fake = jitter(picture), jitter(generated)
        with torch.no_grad():
            real_features, real_maps = self.features(real)
        with torch.set_grad_enabled(not alone):
            fake_features, fake_maps = self.features(fake)

        loss = discriminator_loss(
            self.discriminator(real_maps, mask, lines), self.discriminator([m.detach() for m in fake_maps], mask, lines)
        )
        log = {"discriminator": loss.item()}
        if self.closeups:
            place, judge = list(self.closeups.items())[self.step_count % len(self.closeups)]
            with torch.no_grad():
                real_near, real_near_maps = self.features(windows(real, points, place))
            with torch.set_grad_enabled(not alone):
                fake_near, fake_near_maps = self.features(windows(fake, points, place))
            judged = judge([m.detach() for m in fake_near_maps], mask, lines, points)
            near_loss = discriminator_loss(judge(real_near_maps, mask, lines, points), judged)
            loss, log[f"{place}_discriminator"] = loss + near_loss, near_loss.item()
        self.discriminator_optimizer.zero_grad(set_to_none=True)
        loss.backward()
        self.discriminator_optimizer.step()
        if alone:
            return self._done(len(picture), log)

        for each in self.judges:
            each.requires_grad_(False)
        parts = {"adversarial": adversarial_loss(self.discriminator(fake_maps, mask, lines))}
        if own:
            parts["pixels"] = pixel_loss(generated[:own], picture[:own], mask[:own])
            parts["features"] = feature_loss([f[:own] for f in fake_features], [f[:own] for f in real_features], mask[:own])
        if self.closeups:
            known = min(1.0, self.seen / _CLOSEUPS_WARM_UP) if place in self.new_closeups else 1.0
            parts[place] = adversarial_loss(judge(fake_near_maps, mask, lines, points)) * known
            if own:
                everywhere = torch.ones(own, 1, HEIGHT, WIDTH)
                parts[f"{place}_features"] = feature_loss([f[:own] for f in fake_near], [f[:own] for f in real_near], everywhere)
        if w.rim:
            parts["rim"] = pixel_loss(generated, picture, batch.rim)
        if w.landmarks:
            parts["landmarks"] = landmark_loss(self.landmarks(generated, points, _CROP_JITTER), batch.exact)
        if batch.still:
            parts["still"] = still_loss(generated, batch)
        elif batch.between is not None:
            parts["views"] = views_loss(generated, batch)
        if batch.pairs:
            others = fake[own:]
            others = (others + torch.randn_like(others) * _NOISE).contiguous(memory_format=torch.contiguous_format)
            embedded = self.recognizer(others, points[own:], _ALIGNMENT_JITTER_PX)
            identity = identity_losses(embedded, batch, self.target, c)
            parts |= {"identity": identity.identity, "away": identity.away, "apart": identity.apart}
            log |= {"reached": identity.reached.item(), "original": identity.original.item(), "common": identity.common.item()}
        total = sum(getattr(w, name) * value for name, value in parts.items())
        self.generator_optimizer.zero_grad(set_to_none=True)
        total.backward()
        self.generator_optimizer.step()
        for each in self.judges:
            each.requires_grad_(True)
        self._follow()
        return self._done(len(picture), log | {name: float(value.detach()) for name, value in parts.items()})

    def _done(self, pictures: int, log: dict[str, float]) -> dict[str, float]:
        self.step_count += 1
        self.seen += pictures
        return log

    @torch.no_grad()
    def _follow(self) -> None:
        # A run that starts from nothing must not average in its random start.
        keep = self.config.average if self.config.start else min(self.config.average, 1 - 1 / (self.step_count / 4 + 10))
        for mean, value in zip(self.average.parameters(), self.generator.parameters()):
            mean.lerp_(value, 1 - keep)
        for mean, value in zip(self.average.buffers(), self.generator.buffers()):
            mean.copy_(value)


class Log:
    """Running means, one JSON line at a time."""

    def __init__(self, path: Path):
        self._path, self._mean = path, {}

    def add(self, values: dict[str, float]) -> None:
        for key, value in values.items():
            if math.isfinite(value):
                self._mean[key] = self._mean[key] * 0.97 + value * 0.03 if key in self._mean else value

    def write(self, **extra) -> None:
        line = json.dumps(extra | {k: round(v, 4) for k, v in self._mean.items()})
        print(line, flush=True)
        with open(self._path, "a") as file:
            file.write(line + "\n")


def train(config: RunConfig, out: Path, minutes: float = math.inf, stop_at: int | None = None) -> Trainer:
    """Until config.images, for `minutes`, or until `stop_at` images; goes on from OUT/state.pt if there is one."""
    out.mkdir(parents=True, exist_ok=True)
    data = FaceData(Path(config.data), config.sources, config.dark_share)
    trainer = Trainer(config, data)
    state_path = out / "state.pt"
    if state_path.exists():
        trainer.restore(torch.load(state_path, map_location="cpu", weights_only=True))
    stop: list[int] = []
    previous = signal.signal(signal.SIGTERM, lambda *_: stop.append(1))
    shown = plain_views(data, spread(data.validation if len(data.validation) else data.training, 12))
    log, began, saved, first = Log(out / "log.jsonl"), time.monotonic(), time.monotonic(), trainer.seen

    def save() -> None:
        save_atomically(trainer.state(), state_path)
        save_start(out / "checkpoint-fp16.pt", trainer.average, trainer.discriminator, trainer.features, trainer.seen + trainer.base_seen, trainer.closeups)
        save_sheet(out / f"sheet-{trainer.seen:07d}.jpg", trainer.average, *shown)
        rate = (trainer.seen - first) / max(1e-9, time.monotonic() - began)
        log.write(seen=trainer.seen, step=trainer.step_count, rate=round(rate, 2))

    for batch in batches(data, config, trainer.step_count):
        if trainer.seen >= min(config.images, stop_at or config.images) or stop or time.monotonic() - began > minutes * 60:
            break
        log.add(trainer.step(batch))
        if time.monotonic() - saved > config.save_minutes * 60:
            save()
            saved = time.monotonic()
    save()
    signal.signal(signal.SIGTERM, previous)
    return trainer


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("config", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--images", type=int, help="instead of the configuration's")
    parser.add_argument("--minutes", type=float, default=math.inf)
    parser.add_argument("--data", help="instead of the configuration's")
    parser.add_argument("--start", help="instead of the configuration's")
    a = parser.parse_args()
    config = load_config(a.config)
    for key in ("images", "data", "start"):
        if getattr(a, key) is not None:
            setattr(config, key, getattr(a, key))
    train(config, a.out, a.minutes)


if __name__ == "__main__":
    main()
