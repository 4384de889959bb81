import numpy as np
import torch

from training.checkpoint import load_generator
from training.closeups import HEIGHT, PLACES, WIDTH, windows
from training.config import RunConfig, Weights
from training.data import FaceData, make_batch, plain_views
from training.model import Generator, composite
from training.quantization import INT8_LAYERS, QuantConv2d, set_fake_quant
from training.recognizer import DifferentiableLandmarks, DifferentiableRecognizer
from training.train import Trainer, train


def _config(faces, images: int) -> RunConfig:
    weights = Weights(away=1.0, apart=1.0, landmarks=1.0, eyes=1.0, eyes_features=1.0, mouth=1.0, mouth_features=1.0)
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


def test_judges_may_learn_alone_first(faces, tmp_path):
    config = _config(faces, 8)
    config.judges_first = 4
    trainer = Trainer(config, FaceData(faces))
    before = [{k: v.clone() for k, v in module.state_dict().items()} for module in (trainer.generator, trainer.discriminator)]
    same = lambda module, state: all(torch.equal(v.nan_to_num(), state[k].nan_to_num()) for k, v in module.state_dict().items())
    after = train(config, tmp_path / "alone", stop_at=4)
    assert same(after.generator, before[0]) and not same(after.discriminator, before[1])
    assert not same(train(config, tmp_path / "alone").generator, before[0])


def test_a_run_takes_the_heads_of_another_where_it_has_them(faces, tmp_path):
    first = train(_config(faces, 4), tmp_path / "first")
    config = _config(faces, 4)
    config.start = str(tmp_path / "first" / "checkpoint-fp16.pt")
    data = FaceData(faces)
    trainer = Trainer(config, data)
    assert not trainer.new_closeups
    for place in ("eyes", "mouth"):
        for key, value in first.closeups[place].state_dict().items():
            assert torch.allclose(value, trainer.closeups[place].state_dict()[key], atol=2e-3), key
    config.weights.eyes = 0.0
    assert list(Trainer(config, data).closeups) == ["mouth"]
    # And one that looked at the eyes only gives a start to one that looks at the mouth too.
    config = _config(faces, 4)
    config.weights.mouth = config.weights.mouth_features = 0.0
    train(config, tmp_path / "plain")
    config = _config(faces, 4)
    config.start = str(tmp_path / "plain" / "checkpoint-fp16.pt")
    assert Trainer(config, data).new_closeups == {"mouth"}


def test_windows_are_upright_and_centred():
    points = torch.zeros(2, 70, 2)
    points[0, 36:42], points[0, 42:48], points[0, 48:68] = (torch.tensor([x, y]) for x, y in ((44.0, 50.0), (84.0, 50.0), (64.0, 90.0)))
    # Turned by a quarter: the picture's left eye is above, and the mouth on the left.
    points[1, 36:42], points[1, 42:48], points[1, 48:68] = (torch.tensor([x, y]) for x, y in ((74.0, 44.0), (74.0, 84.0), (34.0, 64.0)))
    for place, at, left in (("eyes", 36, 0.5), ("mouth", 48, 0.0)):
        picture = torch.zeros(2, 1, 128, 128)
        for one, (x, y) in zip(picture, points[:, at].int().tolist()):
            one[:, y - 2 : y + 3, x - 2 : x + 3] = 1.0
        seen = windows(picture, points, place)
        assert seen.shape == (2, 1, HEIGHT, WIDTH)
        for window in seen:
            rows, columns = torch.nonzero(window[0] > 0.5, as_tuple=True)
            assert abs(rows.float().mean() - (HEIGHT - 1) / 2) < 1
            # The left eye is half an inter-ocular distance left of the middle.
            assert abs(columns.float().mean() - ((WIDTH - 1) / 2 - left * WIDTH / PLACES[place].span)) < 1


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
