"""The runtime's own networks (detector, landmarks, recognizer), called as the runtime calls them."""
from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import onnxruntime as ort

from .geometry import five_points, inter_ocular

MODELS = Path(__file__).resolve().parent.parent / ".cache" / "models"

ARCFACE = np.array([[38.2946, 51.6963], [73.5318, 51.5014], [56.0252, 71.7366], [41.5493, 92.3655], [70.7299, 92.2041]], np.float32)
"""Where the five points lie in the recognizer's 112² input."""


def model_path(name: str, folder: Path = MODELS) -> Path:
    """Raises FileNotFoundError with the remedy when the model has not been fetched."""
    path = folder / f"{name}.onnx"
    if not path.exists():
        raise FileNotFoundError(f"{path} is missing: run `node scripts/fetch-models.mjs` in the repository first")
    return path


def session(path: Path | str, threads: int = 1) -> ort.InferenceSession:
    options = ort.SessionOptions()
    options.intra_op_num_threads = threads
    options.log_severity_level = 3
    return ort.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])


@dataclass
class SquareCrop:
    """Centre and side in picture pixels (pixel edges at integers), angle in radians clockwise as seen."""

    cx: float
    cy: float
    side: float
    angle: float = 0.0


class FaceDetector:
    """RFB-320: picture -> boxes (N, 5) x0 y0 x1 y1 score, picture pixels."""

    def __init__(self, folder: Path = MODELS, threads: int = 1):
        self._net = session(model_path("face-detector", folder), threads)
        self._input = self._net.get_inputs()[0].name

    def __call__(self, picture: np.ndarray, least: float = 0.6) -> np.ndarray:
        """picture: H×W×3 RGB uint8, brought to 320×240 with its aspect kept."""
        height, width = picture.shape[:2]
        scale = min(320 / width, 240 / height)
        small = cv2.resize(picture, (max(1, round(width * scale)), max(1, round(height * scale))), interpolation=cv2.INTER_AREA)
        canvas = np.zeros((240, 320, 3), np.uint8)
        canvas[: small.shape[0], : small.shape[1]] = small
        data = ((canvas.astype(np.float32) - 127) / 128).transpose(2, 0, 1)[None]
        first, second = self._net.run(None, {self._input: data})
        scores, boxes = (first, second) if first.shape[-1] == 2 else (second, first)
        keep = scores[0, :, 1] > least
        found = boxes[0][keep] * np.array([320, 240, 320, 240]) / scale
        picked = cv2.dnn.NMSBoxes(
            [[float(a), float(b), float(c - a), float(d - b)] for a, b, c, d in found], scores[0, keep, 1].tolist(), least, 0.4
        )
        order = np.array(picked, int).reshape(-1)
        return np.concatenate([found[order], scores[0, keep, 1][order, None]], 1)


class LandmarkModel:
    """iBUG-68 of a square crop, calibrated against dlib's points as src/infer/landmarks.ts does."""

    def __init__(self, folder: Path = MODELS, threads: int = 1):
        self._net = session(model_path("face-landmarks", folder), threads)

    def find(self, picture: np.ndarray, crop: SquareCrop) -> np.ndarray:
        """-> (68, 2) picture pixels, pixel centres at integers."""
        cos, sin = np.cos(crop.angle), np.sin(crop.angle)
        axes = np.array([[cos, -sin], [sin, cos]]) * (crop.side / 64)
        origin = np.array([crop.cx, crop.cy]) - axes @ np.full(2, 32) + axes @ np.full(2, 0.5) - 0.5
        matrix = np.concatenate([axes, origin[:, None]], 1)
        gray = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY) if picture.ndim == 3 else picture
        # As a resize does: average over the source pixels that one sample stands for.
        if (factor := crop.side / 64) > 2:
            shrunk = cv2.resize(gray, None, fx=2 / factor, fy=2 / factor, interpolation=cv2.INTER_AREA)
            ratio = np.array([shrunk.shape[1] / gray.shape[1], shrunk.shape[0] / gray.shape[0]])
            matrix = np.concatenate([matrix[:, :2] * ratio[:, None], ((matrix[:, 2] + 0.5) * ratio - 0.5)[:, None]], 1)
            gray = shrunk
        data = cv2.warpAffine(gray, matrix, (64, 64), flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP, borderMode=cv2.BORDER_REFLECT)
        raw = self._net.run(None, {self._net.get_inputs()[0].name: data.astype(np.float32)[None, None] / 256})[0].reshape(68, 2)
        between = inter_ocular(raw[None])[0]
        local = (raw - np.array([0.013, 0.012]) * between - 0.5) * crop.side
        return np.array([crop.cx, crop.cy]) + local @ np.array([[cos, sin], [-sin, cos]]) - 0.5

    def locate(self, picture: np.ndarray, box: np.ndarray) -> tuple[np.ndarray, float]:
        """Two passes from a detector's box -> points (68, 2) and how far the passes disagree, over the inter-ocular distance."""
        side = 0.9 * (box[3] - box[1])
        first = self.find(picture, SquareCrop((box[0] + box[2]) / 2, (box[1] + box[3]) / 2 + 0.11 * side, side))
        second = self.find(picture, crop_from_points(first))
        return second, float(np.linalg.norm(first - second, axis=1).mean() / max(1e-3, inter_ocular(second[None])[0]))


def crop_from_points(points: np.ndarray) -> SquareCrop:
    """The square that follows a face from points already found."""
    eyes = points[42:48].mean(0) - points[36:42].mean(0)
    angle = float(np.arctan2(eyes[1], eyes[0]))
    cos, sin = np.cos(angle), np.sin(angle)
    turned = points @ np.array([[cos, -sin], [sin, cos]])
    low, high = turned.min(0), turned.max(0)
    side = 1.15 * (high[1] - low[1])
    u, v = (low[0] + high[0]) / 2, (low[1] + high[1]) / 2 - 0.04 * side
    return SquareCrop(u * cos - v * sin + 0.5, u * sin + v * cos + 0.5, float(side), angle)


def similarity(source: np.ndarray, target: np.ndarray) -> np.ndarray:
    """Least-squares similarity (N, 2, 3) that takes (N, P, 2) source points onto (P, 2) or (N, P, 2) target points."""
    target = np.broadcast_to(target, source.shape)
    ms, mt = source.mean(1, keepdims=True), target.mean(1, keepdims=True)
    a, b = source - ms, target - mt
    power = (a * a).sum((1, 2))
    c = (a * b).sum((1, 2)) / power
    d = (a[..., 0] * b[..., 1] - a[..., 1] * b[..., 0]).sum(1) / power
    rotation = np.stack([np.stack([c, -d], 1), np.stack([d, c], 1)], 1)
    shift = mt[:, 0] - np.einsum("nij,nj->ni", rotation, ms[:, 0])
    return np.concatenate([rotation, shift[:, :, None]], 2)


class Recognizer:
    """Embeddings (N, 512), unit length, of pictures with known landmarks."""

    def __init__(self, folder: Path = MODELS, threads: int = 1):
        self._net = session(model_path("face-recognizer", folder), threads)
        self._input = self._net.get_inputs()[0].name

    def __call__(self, pictures: np.ndarray, landmarks: np.ndarray) -> np.ndarray:
        """pictures: (N, H, W, 3) RGB uint8; landmarks: (N, 68+, 2) in their pixels."""
        out = []
        for picture, matrix in zip(pictures, similarity(five_points(landmarks), ARCFACE)):
            aligned = cv2.warpAffine(picture, matrix, (112, 112), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT)
            data = ((aligned.astype(np.float32) - 127.5) / 128).transpose(2, 0, 1)[None]
            vector = self._net.run(None, {self._input: data})[0].reshape(-1)
            out.append(vector / np.linalg.norm(vector))
        return np.stack(out).astype(np.float32)
