import shutil

import numpy as np
import pytest
import torch

from training.checkpoint import load_generator
from training.compare import psnr
from training.config import Augmentation
from training.detail import DETAIL_SIZE, Detail, enlarged, load_detail
from training.detail_graph import DETAIL_INPUTS, MARGIN, detail_feeds
from training.export import example_inputs, export_detail, quantize_detail
from training.model import OUTPUT, LineMaps
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


@pytest.fixture(scope="module")
def lively():
    torch.manual_seed(4)
    detail = Detail().eval()
    torch.nn.init.normal_(detail.last.weight, std=0.02)
    return detail


@pytest.fixture(scope="module")
def exported(lively, tmp_path_factory):
    path = tmp_path_factory.mktemp("detail") / "detail.onnx"
    export_detail(lively, path)
    return path


def asked(n: int) -> dict[str, np.ndarray]:
    feed = example_inputs(n, seed=n) | {"small": np.random.default_rng(n).uniform(-1, 1, (n, 3, 128, 128)).astype(np.float32)}
    return {k: feed[k] for k in DETAIL_INPUTS}


@torch.no_grad()
def drawn(detail: Detail, feed: dict[str, np.ndarray]) -> np.ndarray:
    given = {k: torch.from_numpy(v) for k, v in feed.items()}
    return detail.drawn(given["small"], given["context"], given["mask"], LineMaps()(given["landmarks"])).numpy()


def test_the_exported_detail_equals_pytorch(lively, exported):
    for n, masked in ((1, 1), (3, 1), (2, 0)):  # the whole field, also where nothing is masked
        feed = asked(n)
        feed["mask"][:] = masked
        got = session(exported).run([OUTPUT], feed)[0]
        assert got.shape == (n, 3, DETAIL_SIZE, DETAIL_SIZE) and abs(got - drawn(lively, feed)).max() <= 1e-3


def test_detail_is_drawn_around_the_mask_alone_and_is_the_same_there(lively, exported):
    feed = asked(2)
    feed["mask"][:] = 0
    feed["mask"][0, :, 20:81, 30:70] = 1
    feed["mask"][1, :, 60:101, 40:90] = 1
    got, wanted = session(exported).run([OUTPUT], feed)[0], drawn(lively, feed)
    plain = enlarged(torch.from_numpy(feed["small"])).numpy()
    # Rows 20 to 100, columns 30 to 89, and two pixels of each for a cell.
    window = np.zeros((DETAIL_SIZE, DETAIL_SIZE), bool)
    window[40 - 4 * MARGIN : 204 + 4 * MARGIN, 60 - 4 * MARGIN : 180 + 4 * MARGIN] = True
    assert abs(got - plain.clip(-1, 1))[..., ~window].max() <= 1e-6
    inner = (slice(40 + 4 * (5 - MARGIN), 200 - 4 * (5 - MARGIN)), slice(60 + 4 * (5 - MARGIN), 180 - 4 * (5 - MARGIN)))
    assert abs(got - wanted)[:, :, *inner].max() <= 1e-3
    assert abs(wanted - plain)[:, :, *inner].max() > 0.01
    # What lies beyond the window reaches the rim: weakly.
    rim = np.sqrt(np.square(got - wanted)[:, :, 40:200, 60:180].mean())
    assert rim < 0.05 * np.sqrt(np.square(wanted - plain)[:, :, 40:200, 60:180].mean())


def test_int8_detail_keeps_the_picture(sharp, tmp_path):
    detail = load_detail(SHIPPED.with_name("detail-fp16.pt"))
    export_detail(detail, tmp_path / "fp32.onnx")
    feeds = list(detail_feeds(sharp, SHIPPED.with_name("understudy-128-int8.onnx"), SHIPPED.with_name("identities.json"), sharp.training[:9]))
    quantize_detail(tmp_path / "fp32.onnx", tmp_path / "int8.onnx", feeds[:8])
    a, b = (session(tmp_path / f"{name}.onnx") for name in ("fp32", "int8"))
    assert [(i.name, i.shape) for i in a.get_inputs()] == [(i.name, i.shape) for i in b.get_inputs()]
    mask = feeds[8]["mask"].repeat(2, 2).repeat(2, 3)
    assert psnr(a.run([OUTPUT], feeds[8])[0], b.run([OUTPUT], feeds[8])[0], mask) > 45


def test_crops_of_another_size_are_refused(faces):
    with pytest.raises(ValueError, match="needs 320"):
        SharpData(faces)
