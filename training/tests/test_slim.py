from pathlib import Path

import pytest
import torch

from training.checkpoint import load_generator, save_start
from training.config import RunConfig
from training.data import FaceData, make_batch
from training.discriminator import Discriminator
from training.features import ProjectedFeatures
from training.losses import pixel_loss
from training.model import Generator, composite
from training.slim import narrowed, teach

SHIPPED = Path(__file__).resolve().parents[2] / "models" / "generator" / "checkpoint-fp16.pt"
WIDTHS = (28, 64, 128, 192)


@pytest.fixture(scope="module")
def teacher():
    return load_generator(SHIPPED)[0].requires_grad_(False)


def _distance(student, teacher, batch) -> float:
    with torch.no_grad():
        wanted, painted = (composite(g, batch.picture, batch.mask, batch.points, batch.z) for g in (teacher, student))
        return pixel_loss(painted, wanted, batch.mask).item()


def test_the_fewer_channels_are_cut_the_less_is_lost(faces, teacher):
    batch = make_batch(FaceData(faces), RunConfig(batch=8), 1)
    c64, *others = teacher.widths
    lost = [_distance(narrowed(teacher, widths, batch), teacher, batch) for widths in (
        teacher.widths, (c64 - 4, *others), WIDTHS, (c64 // 2, *(w // 2 for w in others)),
    )]
    assert lost == sorted(lost)
    assert lost[0] < 0.01 and lost[2] < 0.6 * lost[3]


def test_a_narrow_generator_learns_from_the_wide_one_and_trains_on(faces, teacher, tmp_path):
    data = FaceData(faces)
    batch = make_batch(data, RunConfig(batch=8), 1)
    student = narrowed(teacher, WIDTHS, batch)
    assert student.widths == WIDTHS
    before = _distance(student, teacher, batch)
    teach(student, teacher, data, RunConfig(images=240, batch=8))
    assert _distance(student, teacher, batch) < before
    save_start(tmp_path / "slim.pt", student, Discriminator(), ProjectedFeatures(), 7)
    loaded, seen = load_generator(tmp_path / "slim.pt")
    assert (loaded.widths, seen) == (WIDTHS, 7)


def test_it_never_gets_wider(faces, teacher):
    with pytest.raises(ValueError, match="not narrower"):
        narrowed(teacher, (64, 96, 160, 256), make_batch(FaceData(faces), RunConfig(batch=4), 1))
