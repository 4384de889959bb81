"""Points, masks and transforms of the canonical field. The same definitions as src/track/canonical.ts and src/core/face-mask.ts."""
from __future__ import annotations

import cv2
import numpy as np

SIZE = 128
MARGIN = 16
"""Stored crops are the canonical field with this margin on each side, so that augmentation has something to show."""
STORED = SIZE + 2 * MARGIN
LANDMARKS = 68
POINTS = 70
UNKNOWN = -1000.0

_FOREHEAD, _TEMPLE, _DILATION = 0.32, 0.22, 3.5

MIRROR = np.array(
    [*range(16, -1, -1), *range(26, 16, -1), *range(27, 31), 35, 34, 33, 32, 31]
    + [45, 44, 43, 42, 47, 46, 39, 38, 37, 36, 41, 40]
    + [54, 53, 52, 51, 50, 49, 48, 59, 58, 57, 56, 55, 64, 63, 62, 61, 60, 67, 66, 65]
)
"""Where each landmark's counterpart is in a mirrored picture."""


def five_points(landmarks: np.ndarray) -> np.ndarray:
    """(N, 68+, 2) -> (N, 5, 2): eye centres, nose tip, mouth corners."""
    return np.stack(
        [landmarks[:, 36:42].mean(1), landmarks[:, 42:48].mean(1), landmarks[:, 30], landmarks[:, 48], landmarks[:, 54]], 1
    )


def inter_ocular(landmarks: np.ndarray) -> np.ndarray:
    """(N, 68+, 2) -> (N,) distance of the eye centres."""
    return np.linalg.norm(landmarks[:, 36:42].mean(1) - landmarks[:, 42:48].mean(1), axis=1)


def canonical_to_picture(landmarks: np.ndarray, size: int = SIZE) -> np.ndarray:
    """(68, 2) picture points -> 2×3 matrix from the canonical field (pixel centres at integers) to the picture."""
    left, right = landmarks[36:42].mean(0), landmarks[42:48].mean(0)
    eyes, centre = right - left, (left + right) / 2
    down = (landmarks[48] + landmarks[54]) / 2 - centre
    x = eyes + np.array([down[1], -down[0]])
    x = x / np.hypot(*x)
    y = np.array([-x[1], x[0]])
    step = 3.4 * max(np.hypot(*eyes), 0.93 * np.hypot(*down)) / SIZE
    axes = np.stack([x, y], 1) * step
    origin = centre + 0.28 * down - axes @ np.full(2, size / 2)
    return np.concatenate([axes, origin[:, None]], 1).astype(np.float32)


def apply(matrix: np.ndarray, points: np.ndarray) -> np.ndarray:
    """2×3 matrix on (..., 2) points."""
    return points @ matrix[:, :2].T + matrix[:, 2]


def invert(matrix: np.ndarray) -> np.ndarray:
    return cv2.invertAffineTransform(matrix)


def face_mask(landmarks: np.ndarray, size: int = SIZE, dilation: float = _DILATION) -> np.ndarray:
    """(68, 2) points in pixels of a field of `size` -> size² bool: hull of points and forehead, dilated by `dilation`/128 of the field."""
    up = (landmarks[19] + landmarks[24]) / 2 - landmarks[8]
    forehead = [landmarks[i] + _FOREHEAD * up for i in (18, 19, 20, 23, 24, 25)]
    temples = [landmarks[i] + _TEMPLE * up for i in (17, 26)]
    hull = cv2.convexHull(np.concatenate([landmarks[:LANDMARKS], forehead, temples]).astype(np.float32))
    scale = 4
    large = np.full((size * scale, size * scale), 0, np.uint8)
    cv2.fillConvexPoly(large, np.round((hull + 0.5) * scale * 16 - 8).astype(np.int32), 255, cv2.LINE_8, 4)
    radius = round(dilation * scale * size / SIZE)
    large = cv2.dilate(large, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * radius + 1, 2 * radius + 1)))
    return large[scale // 2 :: scale, scale // 2 :: scale] > 127


def mirrored(points: np.ndarray, size: int = SIZE) -> np.ndarray:
    """(68 or 70, 2) points of the picture flipped left to right."""
    out = points.copy()
    out[:, 0] = size - 1 - out[:, 0]
    out[:LANDMARKS] = out[:LANDMARKS][MIRROR]
    out[LANDMARKS:] = out[LANDMARKS:][::-1]
    return out
