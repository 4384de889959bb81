from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from training.evaluate import Judges, evaluate, kernel_distance, save_pictures, threshold_at_far

SHIPPED = Path(__file__).resolve().parents[2] / "models" / "generator" / "understudy-128-int8.onnx"


@pytest.fixture(scope="module")
def judged(data):
    indices = np.concatenate([data.training, data.validation])[:12]
    return indices, *evaluate(SHIPPED, data, indices, Judges())


def test_the_shipped_network_paints_faces_of_other_people(judged):
    _, figures, arrays = judged
    assert figures["faces"] == 12 and figures["found"] >= 0.9
    assert figures["landmarks"] < 0.06
    assert figures["cosine"] < 0.3
    assert -0.2 < figures["different"] < figures["same_picture"] < 0.6
    assert all(np.isfinite(v) for v in figures.values() if not isinstance(v, str))
    assert arrays["crops"].shape == (12, 128, 128, 3)


def test_pairs_differ_inside_the_crop_only(judged, data, tmp_path):
    indices, _, arrays = judged
    stored = data.faces[indices]
    save_pictures(tmp_path / "originals", stored)
    save_pictures(tmp_path / "new", stored, arrays["crops"])
    a, b = (np.asarray(Image.open(tmp_path / name / "0003.png")).astype(int) for name in ("originals", "new"))
    assert a.shape == b.shape == (240, 240, 3)
    assert np.abs(a - b)[56:-56, 56:-56].mean() > 2
    assert np.array_equal(a[:56], b[:56]) and np.array_equal(a[:, -56:], b[:, -56:])


def test_kernel_distance_is_nothing_for_one_population_and_grows_with_a_shift():
    rng = np.random.default_rng(1)
    a, b = rng.standard_normal((2, 300, 16))
    near, far = kernel_distance(a, b), kernel_distance(a, b + 0.5)
    assert abs(near) < 40 < far < kernel_distance(a, b + 1)


def test_the_threshold_lets_the_given_share_of_strangers_pass():
    rng = np.random.default_rng(2)
    people = rng.standard_normal((200, 64))
    people /= np.linalg.norm(people, axis=1, keepdims=True)
    cosine = (people @ people.T)[np.triu_indices(200, 1)]
    assert np.mean(cosine > threshold_at_far(people, 0.01)) == pytest.approx(0.01, abs=1e-3)
