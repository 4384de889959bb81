import numpy as np
import torch

from training.checkpoint import load_generator
from training.config import RunConfig, Weights
from training.data import FaceData, make_batch, plain_views
from training.eyes import HEIGHT, SPAN, WIDTH, eye_windows
from training.model import Generator, composite
from training.quantization import INT8_LAYERS, QuantConv2d, set_fake_quant
from training.recognizer import DifferentiableLandmarks, DifferentiableRecognizer
from training.train import Trainer, train


def _config(faces, images: int) -> RunConfig:
    weights = Weights(away=1.0, apart=1.0, landmarks=1.0, eyes=1.0, eye_features=1.0)
    return RunConfig(data=str(faces), images=images, batch=4, own_share=0.5, threads=1, quantize_from=8, weights=weights)


def test_resuming_continues_exactly(faces, tmp_path):
    whole = train(_config(faces, 16), tmp_path / "whole")
    half = _config(faces, 16)
    train(half, tmp_path / "parts", stop_at=8)
    parts = train(half, tmp_path / "parts")
    assert parts.step_count == whole.step_count == 4
    for key, value in whole.generator.state_dict().items():
        assert torch.equal(value.nan_to_num(), parts.generator.state_dict()[key].nan_to_num()), key
    for key, value in whole.average.state_dict().items():
        assert torch.equal(value.nan_to_num(), parts.average.state_dict()[key].nan_to_num()), key
    for judge, other in zip(whole.judges, parts.judges, strict=True):
        for key, value in judge.state_dict().items():
            assert torch.equal(value, other.state_dict()[key]), key
    assert (tmp_path / "whole" / "log.jsonl").read_text().count("\n") == 1
    assert list((tmp_path / "whole").glob("sheet-*.jpg"))

    # The small checkpoint holds the averaged generator, in half precision.
    generator, seen = load_generator(tmp_path / "whole" / "checkpoint-fp16.pt")
    assert seen == 16
    for a, b in zip(generator.parameters(), whole.average.parameters()):
        assert torch.allclose(a, b, atol=2e-3)


def test_a_run_takes_the_heads_of_another_where_it_has_them(faces, tmp_path):
    first = train(_config(faces, 4), tmp_path / "first")
    config = _config(faces, 4)
    config.start = str(tmp_path / "first" / "checkpoint-fp16.pt")
    data = FaceData(faces)
    trainer = Trainer(config, data)
    assert not trainer.eyes_are_new
    for key, value in first.eyes.state_dict().items():
        assert torch.allclose(value, trainer.eyes.state_dict()[key], atol=2e-3), key
    config.weights.eyes = 0.0
    assert Trainer(config, data).eyes is None
    # And one that never looked at eyes gives a start to one that does.
    config = _config(faces, 4)
    config.weights.eyes = config.weights.eye_features = 0.0
    train(config, tmp_path / "plain")
    config = _config(faces, 4)
    config.start = str(tmp_path / "plain" / "checkpoint-fp16.pt")
    assert Trainer(config, data).eyes_are_new


def test_windows_of_the_eyes_are_upright_and_centred():
    points = torch.zeros(2, 70, 2)
    points[0, 36:42], points[0, 42:48] = torch.tensor([44.0, 60.0]), torch.tensor([84.0, 60.0])
    # Turned by a quarter: the picture's left eye is above.
    points[1, 36:42], points[1, 42:48] = torch.tensor([64.0, 40.0]), torch.tensor([64.0, 80.0])
    picture = torch.zeros(2, 1, 128, 128)
    picture[0, :, 58:63, 42:47] = picture[1, :, 38:43, 62:67] = 1.0
    windows = eye_windows(picture, points)
    assert windows.shape == (2, 1, HEIGHT, WIDTH)
    for window in windows:
        rows, columns = torch.nonzero(window[0] > 0.5, as_tuple=True)
        assert abs(rows.float().mean() - (HEIGHT - 1) / 2) < 1
        # Half an inter-ocular distance left of the middle.
        assert abs(columns.float().mean() - ((WIDTH - 1) / 2 - WIDTH / SPAN / 2)) < 1


def test_every_part_of_the_generator_learns(faces):
    data = FaceData(faces)
    batch = make_batch(data, RunConfig(batch=4), 1)
    generator = Generator()
    for film in (m for m in generator.modules() if isinstance(m, torch.nn.Linear)):
        torch.nn.init.normal_(film.weight, std=0.05)
    composite(generator, batch.picture, batch.mask, batch.points, batch.z).square().mean().backward()
    dead = [n for n, p in generator.named_parameters() if p.grad is None or not p.grad.abs().sum() > 0]
    assert dead == []


def test_judges_agree_with_the_runtime_on_real_faces(data):
    picture, _, points = plain_views(data, data.training[:6])
    with torch.no_grad():
        embedded = DifferentiableRecognizer()(picture, points)
        found = DifferentiableLandmarks()(picture, points)
    stored = torch.from_numpy(data.identities.embeddings[data.training[:6]])
    assert (embedded * stored).sum(1).min() > 0.85
    eyes = (points[:, 36:42].mean(1) - points[:, 42:48].mean(1)).norm(dim=1)
    assert np.median((found - points[:, :68]).abs().mean((1, 2)) / eyes) < 0.04


def test_rounding_changes_little_and_lets_the_gradient_through():
    torch.manual_seed(0)
    conv = torch.nn.Sequential(QuantConv2d(8, 8, 3, padding=1))
    x = torch.randn(2, 8, 16, 16, requires_grad=True)
    plain = conv(x)
    set_fake_quant(conv, ("0",))
    rounded = conv(x)
    error = (plain - rounded).square().mean() / plain.square().mean()
    assert 0 < error < 1e-2
    rounded.sum().backward()
    assert x.grad.abs().sum() > 0 and conv[0].weight.grad.abs().sum() > 0


def test_int8_layers_are_layers_of_the_generator():
    names = dict(Generator().named_children())
    assert all(layer in names for layer in INT8_LAYERS)
