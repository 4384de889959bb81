"""Trains the detail of 256² faces over a generator that stays as it is.

    python -m training.sharpen OUT --data SHARP [--start GENERATOR.pt] [--detail DETAIL.pt] [--images N] [--minutes M]

Half of each batch are photographs, made small and perhaps softened: the detail must bring back what they had. The other half are the
generator's faces, for which nobody knows the right answer: the discriminator, which sees windows of 128² of both, judges them beside the
photographs as they are. OUT gets `detail.pt` (goes on from it when run again), `log.jsonl`, sheets, and `detail-fp16.pt` (the weights alone, to start others from).
"""
from __future__ import annotations

import argparse
import copy
import math
import time
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from .checkpoint import half, load_start, save_atomically
from .config import Augmentation
from .detail import Detail, enlarged, load_detail, paint
from .discriminator import Discriminator
from .features import ProjectedFeatures
from .identity import Z
from .losses import Jitter, adversarial_loss, discriminator_loss, feature_loss
from .sharp_data import SharpBatch, SharpData, sharp_batch
from .sheets import grid
from .train import Log

BATCH = 16
"""Half photographs, half generated."""
_HALF = BATCH // 2
_TONED = Augmentation(tone=0.3)
_STILL = 2
"""Generated faces per batch that are drawn a second time with other noise on their landmarks."""
_RATE, _LAST = 4e-4, 0.05
_KEEP = 0.995
_PIXELS, _FEATURES, _COARSE, _STEADY, _COMB = 3.0, 2.0, 8.0, 6.0, 2000.0


def softened(picture: Tensor, rng: np.random.Generator) -> Tensor:
    """As a generator's face is: each picture mixed with its own blur by a random share."""
    share = torch.from_numpy(rng.uniform(0, 1, (len(picture), 1, 1, 1)).astype(np.float32))
    blur = F.avg_pool2d(F.pad(picture, (1, 1, 1, 1), mode="replicate"), 3, 1)
    return picture + share * (blur - picture)


def comb_loss(picture: Tensor, weight: Tensor) -> Tensor:
    """What repeats every four pixels, the grain of the shuffled phases: in a neighbourhood of 16 pixels each phase's fine part must average
    out. Hair, teeth and pores have no phase, and do."""
    luma = picture.mean(1, keepdim=True)
    fine = luma - F.avg_pool2d(luma, 5, 1, 2, count_include_pad=False)
    phases = F.avg_pool2d(F.pixel_unshuffle(fine * weight, 4), 4)
    return (phases - phases.mean(1, keepdim=True)).square().mean()


class Sharpener:
    def __init__(self, data: SharpData, start: Path, images: int, detail: Path | None = None, seed: int = 0):
        torch.manual_seed(seed)
        self.data, self.images, self.seed = data, images, seed
        self.features, self.discriminator = ProjectedFeatures(), Discriminator()
        self.generator = load_start(start, self.discriminator, self.features).generator
        self.generator.eval().requires_grad_(False)
        self.detail = load_detail(detail).train() if detail else Detail()
        for module in (self.generator, self.features, self.discriminator, self.detail):
            module.to(memory_format=torch.channels_last)
        self.average = copy.deepcopy(self.detail).eval()
        betas = (0.0, 0.99)
        self.optimizer = torch.optim.Adam(self.detail.parameters(), _RATE, betas=betas)
        self.discriminator_optimizer = torch.optim.Adam(self.discriminator.parameters(), _RATE / 2, betas=betas)
        self.seen = 0

    def state(self) -> dict:
        names = ("detail", "average", "discriminator", "optimizer", "discriminator_optimizer")
        return {name: getattr(self, name).state_dict() for name in names} | {"mixing": self.features.mixing_state(), "seen": self.seen}

    def restore(self, state: dict) -> None:
        for name in ("detail", "average", "discriminator", "optimizer", "discriminator_optimizer"):
            getattr(self, name).load_state_dict(state[name])
        self.features.load_mixing(state["mixing"])
        self.seen = state["seen"]

    @torch.no_grad()
    def _small(self, batch: SharpBatch, rng: np.random.Generator) -> tuple[Tensor, Tensor]:
        """What the detail is asked about, and its line maps: photographs, generated faces, and some of those drawn again."""
        z = torch.from_numpy(rng.standard_normal((_HALF, Z)).astype(np.float32)) * 0.9
        drawn, again = slice(_HALF, None), slice(_HALF, _HALF + _STILL)
        painted = paint(self.generator, batch.small[drawn], batch.mask[drawn], batch.points[drawn], z)
        repainted = paint(self.generator, batch.small[again], batch.mask[again], batch.noisy[again], z[:_STILL])
        small = torch.cat([softened(batch.small[:_HALF], rng), painted, repainted])
        lines = self.generator.lines(torch.cat([batch.points, batch.noisy[again]]))
        return small.contiguous(memory_format=torch.channels_last), lines

    def _schedule(self) -> None:
        factor = _LAST + (1 - _LAST) * 0.5 * (1 + math.cos(math.pi * min(1.0, self.seen / self.images)))
        for optimizer, rate in ((self.optimizer, _RATE), (self.discriminator_optimizer, _RATE / 2)):
            for group in optimizer.param_groups:
                group["lr"] = rate * factor

    def step(self) -> dict[str, float]:
        """One update of both networks -> named losses."""
        step = self.seen // BATCH
        # Random numbers depend on the step alone: a resumed run draws the same ones.
        rng = np.random.default_rng([self.seed, step])
        torch.manual_seed(self.seed * 1_000_003 + step)
        self._schedule()
        training = self.data.training
        batch = sharp_batch(self.data, rng.choice(training, BATCH, len(training) < BATCH, self.data.probability), _TONED, rng)
        small, lines = self._small(batch, rng)
        residual = self.detail(small, lines)
        sharp = (enlarged(small) + residual)[:BATCH]
        weight = enlarged(batch.mask)
        composed = batch.large[_HALF:] + weight[_HALF:] * (sharp[_HALF:] - batch.large[_HALF:])
        fake, real = batch.windows(torch.cat([sharp[:_HALF], composed])), batch.windows(batch.large)
        mask, told = enlarged(batch.windows(batch.mask)), enlarged(batch.windows(lines[:BATCH]))
        jitter = Jitter.drawn(BATCH)
        with torch.no_grad():
            real_features, real_maps = self.features(jitter(real).contiguous(memory_format=torch.channels_last))
        fake_features, fake_maps = self.features(jitter(fake).contiguous(memory_format=torch.channels_last))

        loss = discriminator_loss(self.discriminator(real_maps, mask, told), self.discriminator([m.detach() for m in fake_maps], mask, told))
        self.discriminator_optimizer.zero_grad(set_to_none=True)
        loss.backward()
        self.discriminator_optimizer.step()

        self.discriminator.requires_grad_(False)
        everywhere, again = torch.ones_like(mask[:_HALF]), slice(_HALF, _HALF + _STILL)
        parts = {
            "adversarial": (1.0, adversarial_loss(self.discriminator(fake_maps, mask, told))),
            "pixels": (_PIXELS, (fake[:_HALF] - real[:_HALF]).abs().mean()),
            "features": (_FEATURES, feature_loss([f[:_HALF] for f in fake_features], [f[:_HALF] for f in real_features], everywhere)),
            # Light, tone and shape are the generator's: the detail must not touch what is coarser than itself.
            "coarse": (_COARSE, F.avg_pool2d(residual, 4).abs().mean()),
            "comb": (_COMB, comb_loss(sharp[_HALF:], weight[_HALF:])),
            "still": (_STEADY, ((residual[BATCH:] - residual[again]) * weight[again]).abs().mean()),
        }
        self.optimizer.zero_grad(set_to_none=True)
        sum(w * value for w, value in parts.values()).backward()
        self.optimizer.step()
        self.discriminator.requires_grad_(True)
        self._follow(step)
        self.seen += BATCH
        log = {"discriminator": loss.item(), "strength": residual[_HALF:BATCH].detach().square().mean().sqrt().item()}
        return log | {name: value.item() for name, (_, value) in parts.items()}

    @torch.no_grad()
    def _follow(self, step: int) -> None:
        # A run that starts from nothing must not average in its start.
        keep = min(_KEEP, 1 - 1 / (step / 4 + 10))
        for mean, value in zip(self.average.parameters(), self.detail.parameters()):
            mean.lerp_(value, 1 - keep)

    @torch.no_grad()
    def save_sheet(self, path: Path, faces: int = 6) -> None:
        """Rows: photograph; generated, only enlarged; with its detail; photograph made small, with its detail."""
        chosen = self.data.validation if len(self.data.validation) else self.data.training
        batch = sharp_batch(self.data, chosen[np.linspace(0, len(chosen) - 1, min(faces, len(chosen))).astype(int)], Augmentation(), None)
        z = torch.randn(1, Z, generator=torch.Generator().manual_seed(11)) * 0.9
        painted = paint(self.generator, batch.small, batch.mask, batch.points, z.expand(len(batch), -1))
        lines, mask = self.generator.lines(batch.points), enlarged(batch.mask)
        plain = enlarged(painted)
        detailed, restored = plain + self.average(painted, lines), enlarged(batch.small) + self.average(batch.small, lines)
        rows = [batch.large, *(batch.large + mask * (x - batch.large) for x in (plain, detailed)), restored]
        grid([r.clamp(-1, 1) for r in rows]).save(path)


def sharpen(
    data: SharpData, start: Path, out: Path, images: int, minutes: float = math.inf, stop_at: int | None = None,
    detail: Path | None = None, save_minutes: float = 4.0,
) -> Sharpener:
    """Until `images`, for `minutes`, or until `stop_at` images; goes on from OUT/detail.pt if there is one."""
    out.mkdir(parents=True, exist_ok=True)
    trainer, path = Sharpener(data, start, images, detail), out / "detail.pt"
    if path.exists():
        trainer.restore(torch.load(path, map_location="cpu", weights_only=True))
    log, began, saved, first = Log(out / "log.jsonl"), time.monotonic(), time.monotonic(), trainer.seen

    def save() -> None:
        save_atomically(trainer.state(), path)
        save_atomically({"average": half(trainer.average.state_dict()), "seen": trainer.seen}, out / "detail-fp16.pt")
        trainer.save_sheet(out / f"sheet-{trainer.seen:07d}.png")
        log.write(seen=trainer.seen, rate=round((trainer.seen - first) / max(1e-9, time.monotonic() - began), 2))

    while trainer.seen < min(images, stop_at or images) and time.monotonic() - began < minutes * 60:
        log.add(trainer.step())
        if time.monotonic() - saved > save_minutes * 60:
            save()
            saved = time.monotonic()
    save()
    return trainer


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out", type=Path)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--start", type=Path, default=Path("models/generator/checkpoint-fp16.pt"))
    parser.add_argument("--detail", type=Path, help="weights to go on from, as a new run")
    parser.add_argument("--images", type=int, default=40_000)
    parser.add_argument("--minutes", type=float, default=math.inf)
    a = parser.parse_args()
    torch.set_num_threads(2)
    sharpen(SharpData(a.data), a.start, a.out, a.images, a.minutes, detail=a.detail)


if __name__ == "__main__":
    main()
