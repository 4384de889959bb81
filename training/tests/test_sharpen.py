import shutil

import numpy as np
import pytest
import torch

from training.checkpoint import load_generator
from training.config import Augmentation
from training.detail import DETAIL_SIZE, Detail, enlarged, load_detail
from training.export import DETAIL_INPUTS, example_inputs, export_detail
from training.model import OUTPUT
from training.onnx_models import MODELS, session
from training.sharp_data import WINDOW, SharpData, sharp_batch
from training.sharpen import BATCH, sharpen
from training.sharpness import measure
from training.tests.test_slim import SHIPPED


@pytest.fixture(scope="module")
def sharp(faces, tmp_path_factory):
    from training.prepare import prepare_pictures

    folder, out = tmp_path_factory.mktemp("photos"), tmp_path_factory.mktemp("sharp")
    for photo in MODELS.glob("demo-photo-*.jpg"):
        shutil.copy(photo, folder)
    prepare_pictures(folder, out, least_side=40, fine=2)
    return SharpData(out)


def test_sharp_crops_show_what_the_others_show_at_twice_the_size(sharp, data):
    assert len(sharp.faces) == len(data.faces) and sharp.faces.shape[1] == 2 * data.faces.shape[1]
    half = torch.nn.functional.avg_pool2d(torch.from_numpy(np.array(sharp.faces)).permute(0, 3, 1, 2).float(), 2)
    other = torch.from_numpy(np.array(data.faces)).permute(0, 3, 1, 2).float()
    assert (half - other).abs().mean() < 4
    assert np.abs((sharp.points[:, :68] + 0.5) / 2 - 0.5 - data.landmarks).max() < 0.01


def test_windows_show_the_same_place_at_every_resolution(sharp):
    batch = sharp_batch(sharp, sharp.training[:4], Augmentation(), np.random.default_rng(1))
    large = batch.windows(batch.large)
    assert large.shape[2:] == (WINDOW, WINDOW)
    assert torch.allclose(torch.nn.functional.avg_pool2d(large, 2), batch.windows(batch.small), atol=1e-5)


def test_an_untrained_detail_only_enlarges():
    face = torch.rand(2, 3, 128, 128) * 2 - 1
    context, mask = torch.zeros_like(face), torch.ones(2, 1, 128, 128)
    assert torch.equal(Detail().drawn(face, context, mask, torch.zeros(2, 4, 64, 64)), enlarged(face))


def test_detail_of_dark_faces_is_weaker():
    detail = Detail().eval()
    torch.nn.init.constant_(detail.last.bias, 0.1)
    lines = torch.zeros(1, 4, 64, 64)
    drawn = [detail(torch.full((1, 3, 128, 128), 2 * luma - 1), lines).abs().mean() for luma in (0.8, 0.5, 0.2, 0.0)]
    assert torch.allclose(torch.stack(drawn), torch.tensor([0.1, 0.1, 0.05, 0.03]), atol=1e-4)


def test_a_run_resumes_exactly_and_learns(sharp, tmp_path):
    whole = sharpen(sharp, SHIPPED, tmp_path / "whole", 2 * BATCH)
    assert sharpen(sharp, SHIPPED, tmp_path / "parts", 2 * BATCH, stop_at=BATCH).seen == BATCH
    parts = sharpen(sharp, SHIPPED, tmp_path / "parts", 2 * BATCH)
    assert parts.seen == whole.seen == 2 * BATCH
    for a, b in zip(whole.detail.parameters(), parts.detail.parameters()):
        assert torch.equal(a, b)
    assert any(p.abs().max() > 0 for p in whole.detail.last.parameters())
    assert (tmp_path / "whole" / f"sheet-{2 * BATCH:07d}.png").exists()
    small = load_detail(tmp_path / "whole" / "detail-fp16.pt")
    for a, b in zip(small.parameters(), load_detail(tmp_path / "whole" / "detail.pt").parameters()):
        assert (a - b).abs().max() < 1e-3
    assert sharpen(sharp, SHIPPED, tmp_path / "next", BATCH, detail=tmp_path / "whole" / "detail-fp16.pt").seen == BATCH


def test_an_untrained_detail_is_as_sharp_as_enlarging_and_a_trained_one_is_measured_apart(sharp):
    generator = load_generator(SHIPPED)[0].eval()
    detail = Detail().eval()
    same = measure(generator, detail, sharp, windows=1)
    for figure in ("kid", "fine", "flicker"):
        assert same[f"{figure}_enlarged"] == same[f"{figure}_detailed"]
    assert same["fine_enlarged"] < 0.5 and same["coarse"] == 0
    torch.nn.init.normal_(detail.last.weight, std=0.02)
    assert measure(generator, detail, sharp, windows=1)["fine_detailed"] > same["fine_enlarged"]


def test_the_exported_detail_equals_pytorch_and_keeps_what_is_coarser(tmp_path):
    generator = load_generator(SHIPPED)[0].eval()
    detail = Detail().eval()
    torch.nn.init.normal_(detail.last.weight, std=0.02)
    export_detail(detail, tmp_path / "detail.onnx")
    for n in (1, 3):
        feed = example_inputs(n, seed=n)
        feed["small"] = np.random.default_rng(n).uniform(-1, 1, (n, 3, 128, 128)).astype(np.float32)
        with torch.no_grad():
            given = {k: torch.from_numpy(feed[k]) for k in DETAIL_INPUTS}
            wanted = detail.drawn(given["small"], given["context"], given["mask"], generator.lines(given["landmarks"]))
        got = session(tmp_path / "detail.onnx").run([OUTPUT], {k: feed[k] for k in DETAIL_INPUTS})[0]
        assert got.shape == (n, 3, DETAIL_SIZE, DETAIL_SIZE) and abs(got - wanted.numpy()).max() <= 1e-3


def test_crops_of_another_size_are_refused(faces):
    with pytest.raises(ValueError, match="needs 320"):
        SharpData(faces)
