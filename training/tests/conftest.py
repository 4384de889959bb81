"""A dozen faces from the demo photographs (npm, MIT), prepared as any folder of pictures is."""
from __future__ import annotations

import shutil
from pathlib import Path

import pytest

torch = pytest.importorskip("torch", reason="the training package needs PyTorch: pip install -r training/requirements.txt")
pytest.importorskip("onnx2torch", reason="pip install -r training/requirements.txt")

from training.onnx_models import MODELS  # noqa: E402

torch.set_num_threads(1)


@pytest.fixture(scope="session")
def faces(tmp_path_factory) -> Path:
    from training.prepare import prepare_identities, prepare_pictures

    photos = sorted(MODELS.glob("demo-photo-*.jpg"))
    if not photos or not (MODELS / "face-recognizer.onnx").exists():
        pytest.skip("no demo photographs or models: run `node scripts/fetch-models.mjs`")
    folder, out = tmp_path_factory.mktemp("photos"), tmp_path_factory.mktemp("faces")
    for photo in photos:
        shutil.copy(photo, folder)
    assert prepare_pictures(folder, out, least_side=40) >= 12
    prepare_identities(out, None, 1)
    return out


@pytest.fixture(scope="session")
def data(faces):
    from training.data import FaceData

    return FaceData(faces)
