import json

import numpy as np
import pytest
import torch

from training.cast import main, measure, ranking, roughness, unlike
from training.data import FaceData
from training.export import export_fp32
from training.identity import Z, drawn, load_cast
from training.model import Generator


def test_a_cracked_cheek_is_rougher_than_a_smooth_one():
    smooth = np.full((1, 128, 128, 3), 150, np.uint8)
    smooth += np.linspace(0, 60, 128, dtype=np.uint8)[None, :, None, None]
    cracked = smooth.copy()
    cracked[:, 60:90, 50:52] -= 80
    outside = smooth.copy()
    outside[:, :20] = 0
    assert roughness(cracked)[0] > roughness(smooth)[0] + 0.5
    assert roughness(outside)[0] == roughness(smooth)[0]


def test_the_smooth_whose_points_are_in_place_come_first_and_one_bad_picture_counts():
    rough = np.array([[2.0, 2], [2, 2], [2.5, 2.5], [2, 2]])
    misfit = np.array([[0.02, 0.02], [0.03, 0.03], [0.02, 0.02], [0.01, 0.03]])
    order = ranking(misfit, rough)
    assert list(order[:2]) == [3, 0] and set(order[2:]) == {1, 2}
    of_three = ranking(np.array([[0.02, 0.02, 0.02], [0.01, 0.025, 0.025]]), np.full((2, 3), 2.0))
    assert list(of_three) == [0, 1]


def test_the_one_most_like_the_others_goes_first_and_of_twins_one():
    axes = np.eye(4)
    average = axes.sum(0, keepdims=True)
    assert list(unlike(np.concatenate([axes, average]), 4)) == [0, 1, 2, 3]
    assert list(unlike(np.concatenate([axes, axes[2:3] + 0.01]), 4)) in ([0, 1, 3, 4], [0, 1, 2, 3])
    assert len(unlike(axes, 9)) == 4


def test_who_is_chosen_can_be_drawn_by_the_generator_in_order_without_the_refused(faces, tmp_path, monkeypatch):
    torch.manual_seed(0)
    export_fp32(Generator((8, 8, 8, 8)).eval(), tmp_path / "generator.onnx")
    measure(tmp_path / "generator.onnx", FaceData(faces), tmp_path / "measured", 77, 2)
    measured = np.load(tmp_path / "measured" / "candidates.npz")["z"]
    assert measured.shape == (77, Z) and 0.9 < measured.std() < 1.1
    # Four rows of nineteen on a page.
    assert sorted(p.name for p in (tmp_path / "measured").glob("*.png")) == ["page-0.png", "page-1.png"]
    monkeypatch.setattr("sys.argv", ["cast", "choose", str(tmp_path / "measured"), str(tmp_path / "cast.json"), "--first", "40", "--without", "0,7"])
    main()
    people = load_cast(tmp_path / "cast.json")
    assert np.allclose(people, np.delete(measured[:40], [0, 7], 0), atol=1e-3)
    monkeypatch.setattr("sys.argv", ["cast", "choose", str(tmp_path / "measured"), str(tmp_path / "cast.json"), "--count", "12"])
    main()
    assert load_cast(tmp_path / "cast.json").shape == (12, Z)
    assert list(json.loads((tmp_path / "cast.json").read_text())) == ["people"]


@pytest.mark.parametrize("count", [5, 12, 30])
def test_nobody_is_drawn_twice_before_the_others(count):
    people = np.random.default_rng(0).standard_normal((12, Z)).astype(np.float32)
    z = drawn(people, count, 3).numpy()
    assert z.shape == (count, Z)
    assert len(np.unique(z[:12], axis=0)) == min(count, 12)
