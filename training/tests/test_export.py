import onnx
import pytest
import torch

from training.compare import psnr
from training.export import convolutions, example_inputs, export_fp32, quantize, served_inputs
from training.model import INPUTS, OUTPUT, Generator
from training.onnx_models import session
from training.quantization import INT8_LAYERS


@pytest.fixture(scope="module")
def generator():
    torch.manual_seed(1)
    net = Generator().eval()
    for layer in net.modules():  # identities count from the start
        if isinstance(layer, torch.nn.Linear):
            torch.nn.init.normal_(layer.weight, std=0.05)
    return net


@pytest.fixture(scope="module")
def exported(generator, tmp_path_factory):
    path = tmp_path_factory.mktemp("export") / "fp32.onnx"
    export_fp32(generator, path)
    return path


def test_exported_network_equals_pytorch_for_any_batch(generator, exported):
    net = session(exported)
    for n in (1, 3):
        feed = example_inputs(n, seed=n)
        feed["landmarks"][0, 68:] = -1000
        with torch.no_grad():
            wanted = generator(*(torch.from_numpy(feed[k]) for k in INPUTS)).numpy()
        assert abs(net.run([OUTPUT], feed)[0] - wanted).max() <= 1e-3


def test_contract_of_the_exported_file(exported):
    net = session(exported)
    shapes = {i.name: i.shape for i in net.get_inputs()}
    assert shapes == {
        "context": ["n", 3, 128, 128], "mask": ["n", 1, 128, 128], "landmarks": ["n", 70, 2], "guide": ["n", 3, 4, 4], "z": ["n", 64],
    }
    assert [(o.name, o.shape) for o in net.get_outputs()] == [("face", ["n", 3, 128, 128])]
    assert exported.stat().st_size <= 16 * 2**20


def test_mixed_precision_keeps_the_contract_and_the_picture(exported, data, tmp_path):
    out = tmp_path / "int8.onnx"
    quantize(exported, out, served_inputs(data, data.training[:8]))
    a, b = session(exported), session(out)
    assert [(i.name, i.shape) for i in a.get_inputs()] == [(i.name, i.shape) for i in b.get_inputs()]
    feed = next(served_inputs(data, data.training[8:9], seed=5))
    assert psnr(a.run([OUTPUT], feed)[0], b.run([OUTPUT], feed)[0], feed["mask"]) > 30
    model = onnx.load(str(out))
    produced = {name: node.op_type for node in model.graph.node for name in node.output}
    for layer, name in convolutions(model).items():
        node = next(n for n in model.graph.node if n.name == name)
        assert (produced.get(node.input[0]) == "DequantizeLinear") == (layer in INT8_LAYERS), layer


def test_unknown_layer_is_named(exported, tmp_path):
    with pytest.raises(ValueError, match="attic"):
        quantize(exported, tmp_path / "x.onnx", [], ("attic",))
