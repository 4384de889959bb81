"""Points moved towards another person's shape, as the runtime serves them: the same definitions as src/track/retarget.ts, over (68, 2)
points in canonical-crop pixels."""
from __future__ import annotations

import json
from functools import cache
from pathlib import Path

import numpy as np

from .geometry import LANDMARKS, SIZE, mirrored

_SHAPE = Path(__file__).parent.parent / "models" / "shape" / "shape-68.json"
_EXPRESSIVE = ((17, 22, 0.06, 0.03), (22, 27, 0.06, 0.03), (36, 42, 0.06, 0.12), (42, 48, 0.06, 0.12), (48, 68, 0.05, 0.12))
"""From, to, how far the width may change, how far it may move up or down in inter-ocular distances."""
_MAX_NARROWING, _MAX_WIDENING, _SHAPE_SPREAD, _CAP = 0.02, 0.02, 0.7, 0.12


@cache
def _model() -> tuple[np.ndarray, np.ndarray]:
    file = json.loads(_SHAPE.read_text())
    return np.array(file["mean"]), np.array(file["components"]) * np.array(file["sigma"])[:, None]


def symmetric(points: np.ndarray) -> np.ndarray:
    """The part of a shape that doesn't change in a mirror about the crop's middle (x = 64)."""
    return (points + mirrored(points, SIZE + 1)) / 2


def understudy_shape(rng: np.random.Generator) -> np.ndarray:
    """A drawn neutral shape."""
    mean, steps = _model()
    normals = (rng.standard_normal(len(steps)) * _SHAPE_SPREAD).clip(-2, 2)
    return symmetric((mean + normals @ steps).reshape(LANDMARKS, 2))


def retarget_offset(understudy: np.ndarray, own: np.ndarray) -> np.ndarray:
    """What has to be added to a face's points so that its shape becomes the understudy's, but for its expression."""
    eyes = np.linalg.norm(own[42:48].mean(0) - own[36:42].mean(0))
    own = symmetric(own)
    offset = understudy - own
    for first, last, width, rise in _EXPRESSIVE:
        here, there = own[first:last], understudy[first:last]
        wider = (np.ptp(there[:, 0]) / max(1e-3, np.ptp(here[:, 0])) - 1).clip(-width, width)
        by = there.mean(0) - here.mean(0)
        offset[first:last, 0] = by[0] + (here[:, 0] - here[:, 0].mean()) * wider
        offset[first:last, 1] = by[1].clip(-rise * eyes, rise * eyes)
    middle = own[27:36].mean(0)
    there = own[:17] + offset[:17] - middle
    reach = np.linalg.norm(there, axis=1).clip(1e-6)
    wanted = _contour_distance(own[:17] - middle, there / reach[:, None])
    wanted = reach.clip(wanted - _MAX_NARROWING * eyes, wanted + _MAX_WIDENING * eyes)
    offset[:17] += there * (wanted / reach - 1)[:, None]
    length = np.linalg.norm(offset, axis=1, keepdims=True)
    return offset * np.minimum(1, _CAP * eyes / length.clip(1e-6))


def _contour_distance(contour: np.ndarray, directions: np.ndarray) -> np.ndarray:
    """How far from the middle of the face its contour is in each direction (17, 2); beyond its ends as far as the point itself."""
    start, edge = contour[:-1], np.diff(contour, axis=0)
    x, y = directions[:, :1], directions[:, 1:]
    across = x * edge[:, 1] - y * edge[:, 0]
    across = np.where(np.abs(across) < 1e-9, np.nan, across)
    along = (start[:, 0] * y - start[:, 1] * x) / across
    distance = (start[:, 0] * edge[:, 1] - start[:, 1] * edge[:, 0]) / across
    met = np.where((along >= 0) & (along <= 1), distance, 0).max(1)
    return np.where(met > 0, met, np.linalg.norm(contour, axis=1))


def with_pupils(offset: np.ndarray) -> np.ndarray:
    """(68, 2) -> (70, 2): pupils move with their eyes."""
    return np.concatenate([offset, offset[36:42].mean(0, keepdims=True), offset[42:48].mean(0, keepdims=True)])
