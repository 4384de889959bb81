from pathlib import Path

import numpy as np
import onnxruntime
import pytest
import torch

from training.data import FaceData, plain_views
from training.model import Generator, composite
from training.naturalness import export, load_naturalness
from training.checkpoint import save_start
from training.closeups import WindowDiscriminator
from training.discriminator import Discriminator
from training.features import ProjectedFeatures


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory) -> Path:
    torch.manual_seed(0)
    path = tmp_path_factory.mktemp("naturalness") / "start.pt"
    save_start(path, Generator((8, 8, 8, 8)), Discriminator(), ProjectedFeatures(), 0, {"eyes": WindowDiscriminator("eyes")})
    return path


def test_the_export_answers_as_the_heads_do_in_units_of_draws(checkpoint, faces, tmp_path):
    model = load_naturalness(checkpoint, ("eyes",))
    picture, mask, points = plain_views(FaceData(faces), [0, 1, 2, 3])
    model.measure([(picture, mask, points)])
    with torch.no_grad():
        expected = model(picture, mask, points).numpy()
    assert abs(expected.mean()) < 1e-4 and abs(expected.std(ddof=1) - 1) < 1e-3
    export(model, tmp_path / "naturalness.onnx")
    net = onnxruntime.InferenceSession(tmp_path / "naturalness.onnx")
    answers = [net.run(["naturalness"], {"picture": picture[i : i + 1].numpy(), "mask": mask[i : i + 1].numpy(), "landmarks": points[i : i + 1].numpy()})[0][0] for i in range(4)]
    # Weights are stored in 16 bits.
    assert np.abs(np.array(answers) - expected).max() < 0.05
    assert (tmp_path / "naturalness.onnx").stat().st_size < 10e6


def test_it_looks_at_the_face_and_at_the_points(checkpoint, faces):
    model = load_naturalness(checkpoint, ("eyes",))
    picture, mask, points = plain_views(FaceData(faces), [0])
    with torch.no_grad():
        here = model(picture, mask, points)
        assert not torch.allclose(model(composite(Generator((8, 8, 8, 8)).eval(), picture, mask, points, torch.zeros(1, 64)), mask, points), here, atol=1e-3)
        assert not torch.allclose(model(picture, mask, points + 4), here, atol=1e-3)


def test_a_checkpoint_without_heads_for_a_place_is_refused(checkpoint):
    with pytest.raises(ValueError, match="no heads for mouth"):
        load_naturalness(checkpoint)
