import dataclasses
import json

import numpy as np
import pytest
import torch

from training import retarget
from training.config import Augmentation, RunConfig, load_config
from training.data import (
    FaceData, Look, field_transform, make_batch, make_view, plain_views, random_haze, random_tones, skin_lightness, training_views, warp_back, with_share,
)
from training.geometry import MIRROR, canonical_to_picture, face_mask, inter_ocular, mirrored
from training.model import Generator, blanked, colour_guide
from training.onnx_models import LandmarkModel, crop_from_points


def test_prepared_faces_lie_in_the_canonical_field(data):
    points = data.landmarks - 16
    for face in points:
        # The field of a face that is in the field already is the field itself.
        assert np.allclose(canonical_to_picture(face), [[1, 0, 0], [0, 1, 0]], atol=1e-2)
    assert data.faces.shape[1:] == (160, 160, 3)


def test_landmark_model_finds_prepared_points_again(data):
    model = LandmarkModel()
    errors = []
    for i in data.training:
        found = model.find(data.faces[i], crop_from_points(data.landmarks[i]))
        errors.append(np.abs(found - data.landmarks[i]).mean() / inter_ocular(data.landmarks[i : i + 1])[0])
    assert np.median(errors) < 0.04


def test_mirroring_twice_changes_nothing(data):
    assert (MIRROR[MIRROR] == np.arange(68)).all()
    points = np.concatenate([data.landmarks[0], [[40.0, 50.0], [80.0, 50.0]]])
    assert np.allclose(mirrored(mirrored(points)), points)


def test_mask_covers_every_point_with_a_margin(data):
    _, mask, points = plain_views(data, data.training[:6])
    for one, face in zip(mask[:, 0], points[:, :68]):
        inside = face[(face > 1).all(1) & (face < 126).all(1)].round().long()
        for dx, dy in ((0, 0), (3, 0), (-3, 0), (0, 3), (0, -3)):
            shifted = (inside + torch.tensor([dx, dy])).clamp(0, 127)
            assert one[shifted[:, 1], shifted[:, 0]].all()


def test_mask_agrees_at_both_sizes(data):
    points = data.landmarks[0] - 16
    small = face_mask(points)
    large = face_mask((points + 0.5) * 2 - 0.5, 256)
    halved = large.reshape(128, 2, 128, 2).mean((1, 3)) > 0.5
    assert (small != halved).mean() < 0.01


def test_pictures_become_people_of_the_cast_as_often_as_asked(data, tmp_path):
    people = np.eye(64, dtype=np.float32)[:5] * 50
    path = tmp_path / "cast.json"
    path.write_text(json.dumps({"people": people.tolist()}))

    def of_the_cast(share):
        config = RunConfig(batch=16, cast=str(path), cast_share=share)
        drawn = np.concatenate([make_batch(data, config, step).z[8:].numpy() for step in range(1, 21)])
        return (np.abs(drawn[:, None] - people[None]).max(2) < 1).any(1).mean()

    assert of_the_cast(0.0) == 0
    assert 0.4 < of_the_cast(0.6) < 0.8
    assert of_the_cast(1.0) == 1


def test_a_file_that_holds_no_cast_is_named(data, tmp_path):
    (tmp_path / "other.json").write_text('{"people": [[1, 2]]}')
    with pytest.raises(ValueError, match="other.json is no cast"):
        make_batch(data, RunConfig(batch=8, cast=str(tmp_path / "other.json"), cast_share=0.5), 1)


def test_batches_depend_on_seed_and_step_alone(data):
    config = RunConfig(batch=8)
    a, b, c = make_batch(data, config, 3), make_batch(data, config, 3), make_batch(data, config, 5)
    assert torch.equal(a.picture, b.picture) and torch.equal(a.z, b.z)
    assert not torch.equal(a.z, c.z)


def test_two_views_warp_back_onto_each_other(data):
    config = RunConfig(batch=8, own_share=0.25)
    for step in (0, 2, 4):  # mirrored and not
        batch = make_batch(data, config, step)
        first = slice(batch.own, batch.own + batch.pairs)
        second = slice(batch.own + batch.pairs, None)
        back = warp_back(batch.picture[second], batch.between)
        middle = (..., slice(24, 104), slice(24, 104))
        aligned = (batch.picture[first] - back)[middle].abs().mean()
        apart = (batch.picture[first] - batch.picture[second])[middle].abs().mean()
        assert aligned < 0.35 * apart
        assert torch.equal(batch.z[first], batch.z[second])


def test_one_view_with_two_identities_in_every_other_batch(data):
    batch = make_batch(data, RunConfig(batch=8, own_share=0.25), 1)
    first, second = slice(batch.own, batch.own + batch.pairs), slice(batch.own + batch.pairs, None)
    assert batch.between is None
    assert torch.equal(batch.picture[first], batch.picture[second])
    assert not torch.equal(batch.z[first], batch.z[second])


def test_no_pixel_of_the_face_reaches_the_network(data):
    picture, mask, points = plain_views(data, data.training[:3])
    noise = torch.where(mask > 0, torch.rand_like(picture) * 2 - 1, picture)
    generator, z = Generator().eval(), torch.randn(3, 64)
    guide = colour_guide(picture, mask)
    with torch.no_grad():
        a = generator(blanked(picture, mask), mask, points, guide, z)
        b = generator(blanked(noise, mask), mask, points, guide, z)
    assert torch.equal(blanked(picture, mask), blanked(noise, mask))
    assert torch.equal(a, b)


def test_guide_has_steps_of_a_sixteenth(data):
    picture, mask, _ = plain_views(data, data.training[:3])
    guide = colour_guide(picture, mask)
    assert guide.shape == (3, 3, 4, 4)
    assert torch.equal(guide * 8, (guide * 8).round())


def test_config_names_the_key_that_is_wrong(tmp_path):
    path = tmp_path / "run.toml"
    path.write_text("[weights]\nidentty = 3.0\n")
    with pytest.raises(ValueError, match="weights.identty"):
        load_config(path)
    path.write_text('batch = "many"\n')
    with pytest.raises(ValueError, match="batch"):
        load_config(path)


def test_shipped_configuration_loads():
    from training import config

    loaded = load_config(__import__("pathlib").Path(config.__file__).parent / "configs" / "fine.toml")
    assert dataclasses.asdict(loaded)["weights"]["identity"] > 0


def test_a_folder_that_is_no_data_says_what_to_do(tmp_path):
    with pytest.raises(FileNotFoundError, match="training.prepare"):
        FaceData(tmp_path)


def test_no_usable_face_says_what_to_give(tmp_path):
    from training.prepare import prepare_pictures

    (tmp_path / "note.txt").write_text("no picture")
    with pytest.raises(ValueError, match="no usable face"):
        prepare_pictures(tmp_path, tmp_path / "out")


def test_the_rim_is_what_the_mask_hides_beside_the_face(faces):
    view = make_view(FaceData(faces), 0, field_transform(), Look(dilate=3))
    assert view.rim.any() and not (view.rim & ~view.mask).any()
    inside = view.exact[17:68].round().astype(int).clip(0, 127)
    assert not view.rim[inside[:, 1], inside[:, 0]].any()
    assert view.rim.sum() < 0.4 * view.mask.sum()


def test_still_batches_differ_in_the_points_noise_alone(faces):
    config = RunConfig(batch=8, augmentation=Augmentation(still=1.0))
    batch = make_batch(FaceData(faces), config, 0)
    first, second = slice(batch.own, batch.own + batch.pairs), slice(batch.own + batch.pairs, None)
    assert batch.still
    assert torch.allclose(batch.picture[first], batch.picture[second], atol=0.02)
    assert torch.allclose(batch.exact[first], batch.exact[second], atol=1e-3)
    assert (batch.points[first] - batch.points[second]).abs().mean() > 0.2


def test_points_are_moved_as_the_runtime_moves_them():
    # By src/track/retarget.ts for the same shapes.
    wanted = {
        0: (0.169, 2.336), 4: (1.040, 2.288), 8: (0, 0.696), 13: (-0.533, 2.833), 19: (-1.949, 1.043),
        30: (0, 4.021), 37: (-1.525, 0.449), 45: (1.785, 0.449), 51: (0, 1.671), 66: (0, 1.671),
    }
    mean, steps = retarget._model()
    k = np.arange(len(steps))
    other = retarget.symmetric((mean + 0.7 * np.sin(k + 1) @ steps).reshape(68, 2))
    offset = retarget.retarget_offset(other, (mean + np.cos(3 * k) @ steps).reshape(68, 2))
    for index, point in wanted.items():
        assert offset[index] == pytest.approx(point, abs=2e-3)


def test_who_becomes_somebody_else_gets_points_of_another_shape_and_a_mask_over_both(faces):
    data = FaceData(faces)
    a = Augmentation(retarget=1.0, rotation_deg=0, scale=0, shift_px=0, landmark_noise_px=0, no_pupils=0, wide_mask=0)
    moved = []
    for seed in range(8):
        rebuilt = training_views(data, 0, a, np.random.default_rng(seed), False)[0][0]
        other = training_views(data, 0, a, np.random.default_rng(seed), False, other=True)[0][0]
        assert (rebuilt.picture == other.picture).all()
        assert (other.mask | ~rebuilt.mask).all()
        moved.append(np.abs(other.exact - rebuilt.exact)[:68].mean())
    assert 0.5 < np.mean(moved) < 6


def test_tones_come_to_what_was_drawn():
    rng = np.random.default_rng(3)
    face = rng.integers(130, 170, (40, 40, 3)).astype(np.uint8)
    means = [random_tones(rng, face)[face, np.arange(3)].mean() / 255 for _ in range(40)]
    assert min(means) < 0.25 and max(means) > 0.4
    assert np.median(means) < face.mean() / 255 - 0.1


def test_haze_lifts_black_and_leaves_a_part_of_the_contrast():
    rng = np.random.default_rng(4)
    for _ in range(20):
        curves = random_haze(rng).astype(int)
        assert (np.diff(curves, axis=0) >= 0).all() and curves.min() >= 5 and curves.max() <= 255
        spans = curves[-1] - curves[0]
        assert np.ptp(spans) <= 1 and 0.34 * 255 < spans.min() and spans.max() < 0.81 * 255


def test_lightness_of_skin_follows_the_face_and_not_what_is_around_it(data):
    i = int(data.training[0])
    face, points = np.array(data.faces[i]), data.landmarks[i]
    darker = face // 2
    around = np.full_like(face, 255)
    around[40:130, 30:130] = face[40:130, 30:130]
    assert skin_lightness(darker, points) == pytest.approx(skin_lightness(face, points) / 2, abs=0.01)
    assert skin_lightness(around, points) == skin_lightness(face, points)


def test_share_of_the_chosen_is_raised_and_never_lowered():
    probability, chosen = np.array([0.5, 0.3, 0.15, 0.05]), np.array([False, False, True, True])
    raised = with_share(probability, chosen, 0.5)
    assert raised.sum() == pytest.approx(1) and raised[chosen].sum() == pytest.approx(0.5)
    assert raised[2] / raised[3] == pytest.approx(3) and raised[0] / raised[1] == pytest.approx(5 / 3)
    assert (with_share(probability, chosen, 0.1) == probability).all()
    assert (with_share(probability, np.zeros(4, bool), 0.5) == probability).all()
