"""Crops as training samples: augmented, masked, in pairs of views where asked. Every batch depends on seed and step alone."""
from __future__ import annotations

import functools
import queue
import threading
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from .config import Augmentation, RunConfig
from .geometry import LANDMARKS, MARGIN, SIZE, STORED, UNKNOWN, apply, face_mask, mirrored
from .identity import Z, Identities, load_cast
from .retarget import retarget_offset, understudy_shape, with_pupils

_TONES, _TINT = (0.1, 0.5), 0.08
"""Means that tones are brought to, of 1, and how far the channels' curves may differ."""
_HAZE, _HAZE_CONTRAST = (0.05, 0.45), (0.35, 0.8)
"""Black behind haze, of 1, and the share of the contrast that is left."""
_DARK = 0.42
"""Luma of skin, of 1, below which a picture is one of dark skin (or of deep shadow)."""
_LUMA = np.array([0.299, 0.587, 0.114])
_FACE = slice(STORED // 3, 2 * STORED // 3)
_EDGE = 1.0
"""A face ends this far outside the hull of its points, of 128."""
_FIELD_CENTRE = (SIZE - 1) / 2
_STORED_CENTRE = (STORED - 1) / 2


class FaceData:
    """A folder made by training.prepare. Raises FileNotFoundError when it is not one."""

    def __init__(self, folder: Path, shares: dict[str, float] | None = None, dark_share: float = 0.0):
        for name in ("faces.npy", "labels.npz", "identities.npz"):
            if not (folder / name).exists():
                raise FileNotFoundError(f"{folder / name} is missing: make the folder with `python -m training.prepare`")
        self.faces = np.load(folder / "faces.npy", mmap_mode="r")
        labels = np.load(folder / "labels.npz")
        self.landmarks = labels["landmarks"].astype(np.float32)
        self.pupils = labels["pupils"].astype(np.float32)
        good = labels["good"] if "good" in labels else np.ones(len(self.faces), bool)
        good = good & np.isfinite(self.landmarks).all((1, 2))
        self.source, self.side = labels["source"], labels["side"]
        self.training = np.nonzero(~labels["val"] & good)[0]
        self.validation = np.nonzero(labels["val"] & good)[0]
        self.identities = Identities(folder / "identities.npz")
        self.probability = _probabilities(self.source[self.training], shares or {})
        if dark_share > 0:
            dark = np.array([is_dark(self.faces[i], self.landmarks[i]) for i in self.training])
            self.probability = with_share(self.probability, dark, dark_share)


def skin_lightness(face: np.ndarray, landmarks: np.ndarray) -> float:
    """Luma of 1 where there is skin in a crop (H×W×3 uint8; its 68 points in the crop's pixels): the median of both cheeks and the bridge of the nose."""
    right = (landmarks[36] + landmarks[39] + 2 * landmarks[48]) / 8 + (landmarks[31] + landmarks[2]) / 4
    left = (landmarks[42] + landmarks[45] + 2 * landmarks[54]) / 8 + (landmarks[35] + landmarks[14]) / 4
    patches = []
    for x, y in (right, left, landmarks[28]):
        x, y = (int(np.clip(v, 3, n - 4)) for v, n in ((x, face.shape[1]), (y, face.shape[0])))
        patches.append(np.median(face[y - 3 : y + 4, x - 3 : x + 4].reshape(-1, 3), 0))
    return float(np.median(patches, 0) @ _LUMA) / 255


def is_dark(face: np.ndarray, landmarks: np.ndarray) -> bool:
    """Whether a crop shows dark skin (or deep shadow)."""
    return skin_lightness(face, landmarks) < _DARK


def with_share(probability: np.ndarray, chosen: np.ndarray, share: float) -> np.ndarray:
    """Probabilities scaled so that the chosen ones make up at least `share`."""
    now = probability[chosen].sum()
    if now == 0 or now >= share:
        return probability
    return np.where(chosen, probability * (share / now), probability * ((1 - share) / (1 - now)))


def _probabilities(sources: np.ndarray, shares: dict[str, float]) -> np.ndarray:
    p = np.zeros(len(sources))
    rest = 1.0
    for name, share in shares.items():
        members = sources == name
        if members.any():
            p[members] = share / members.sum()
            rest -= share
    others = ~np.isin(sources, list(shares))
    if others.any():
        p[others] = rest / others.sum()
    return p / p.sum()


@dataclass
class View:
    picture: np.ndarray
    mask: np.ndarray
    points: np.ndarray
    exact: np.ndarray
    """The points before noise."""
    rim: np.ndarray
    """What the mask hides beside the face: 128² bool."""


def field_transform(rotation: float = 0.0, scale: float = 1.0, shift=(0.0, 0.0)) -> np.ndarray:
    """2×3 from the stored crop to the field, both turned about their centres."""
    cos, sin = np.cos(rotation) * scale, np.sin(rotation) * scale
    turn = np.array([[cos, -sin], [sin, cos]])
    move = _FIELD_CENTRE + np.asarray(shift) - turn @ np.full(2, _STORED_CENTRE)
    return np.concatenate([turn, move[:, None]], 1).astype(np.float32)


def _random_transform(rng: np.random.Generator, degrees: float, scale: float, shift: float):
    return np.deg2rad(rng.uniform(-degrees, degrees)), np.exp(rng.uniform(-scale, scale)), rng.uniform(-shift, shift, 2)


def random_tones(rng: np.random.Generator, face: np.ndarray) -> np.ndarray:
    """256×3 uint8: a curve per channel that brings the mean of `face` (any shape, uint8) to a drawn one, mostly a darker one."""
    mean = (face.mean() / 255).clip(0.05, 0.95)
    exponent = (np.log(rng.uniform(*_TONES)) / np.log(mean)).clip(0.6, 3)
    exponents = exponent * (1 + rng.uniform(-1, 1, 3) * _TINT)
    return np.round(255 * (np.arange(256)[:, None] / 255) ** exponents).astype(np.uint8)


def random_haze(rng: np.random.Generator) -> np.ndarray:
    """256×3 uint8: a straight line per channel that lifts black and leaves a part of the contrast."""
    contrast = rng.uniform(*_HAZE_CONTRAST)
    black = np.minimum(rng.uniform(*_HAZE) * (1 + rng.uniform(-1, 1, 3) * _TINT), 1 - contrast)
    return np.round(255 * black + contrast * np.arange(256)[:, None]).astype(np.uint8)


class Hazy:
    """Stored crops, each through a haze of its own that is the same every time."""

    def __init__(self, faces: np.ndarray):
        self._faces = faces

    def __getitem__(self, index: int | np.ndarray) -> np.ndarray:
        if np.ndim(index):
            return np.stack([self[i] for i in index])
        return cv2.LUT(np.ascontiguousarray(self._faces[index]), random_haze(np.random.default_rng(int(index)))[None])


@dataclass
class Look:
    """How a crop is shown; the two views of a pair differ in nothing but noise and matrix."""

    flip: bool = False
    dilate: int = 0
    tones: np.ndarray | None = None
    """256×3 uint8."""
    offset: np.ndarray | None = None
    """By which the 70 points are moved towards another shape, canonical-crop pixels."""


def make_view(data: FaceData, index: int, matrix: np.ndarray, look: Look | None = None, noise: np.ndarray | None = None) -> View:
    """One crop seen through `matrix`: picture 128²×3 uint8, mask 128² bool, points 70×2 in its pixels."""
    look = look or Look()
    picture = cv2.warpAffine(data.faces[index], matrix, (SIZE, SIZE), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT)
    if look.tones is not None:
        picture = cv2.LUT(picture, look.tones[None])
    own = np.concatenate([data.landmarks[index], data.pupils[index]])
    points = apply(matrix, own if look.offset is None else own + look.offset)
    own = apply(matrix, own)
    if look.flip:
        picture, points, own = np.ascontiguousarray(picture[:, ::-1]), mirrored(points), mirrored(own)
    shapes = [points[:LANDMARKS]] if look.offset is None else [points[:LANDMARKS], own[:LANDMARKS]]
    mask = np.any([face_mask(shape) for shape in shapes], 0)
    if look.dilate:
        mask = cv2.dilate(mask.astype(np.uint8), np.ones((look.dilate, look.dilate), np.uint8)) > 0
    exact = points.astype(np.float32)
    rim = mask & ~np.any([face_mask(shape, dilation=_EDGE) for shape in shapes], 0)
    if noise is not None:
        points = points + noise
    if not np.isfinite(points[LANDMARKS:]).all():
        points[LANDMARKS:] = UNKNOWN
    return View(picture, mask, points.astype(np.float32), exact, rim)


def training_views(
    data: FaceData, index: int, a: Augmentation, rng: np.random.Generator, pair: bool, still: bool = False, other: bool = False
):
    """A picture that is rebuilt, or (`other`) one that becomes somebody else. -> [view] or [view, second view] (`still`: moved by nothing but the noise of its landmarks), and the 2×3 that takes field coordinates (about the centre) of the first to the second."""
    first = _random_transform(rng, a.rotation_deg, a.scale, a.shift_px)
    second = _random_transform(rng, a.second_rotation_deg, a.second_scale, a.second_shift_px)
    if still:
        second = 0.0, 1.0, np.zeros(2)
    flip, withhold = rng.random() < 0.5, rng.random() < a.no_pupils
    dilate = int(rng.integers(1, 6)) if rng.random() < a.wide_mask else 0
    look = Look(flip, dilate)
    if rng.random() < a.tone:
        look.tones = random_tones(rng, data.faces[index][_FACE, _FACE])
    elif a.haze and rng.random() < a.haze:
        look.tones = random_haze(rng)
    if other and rng.random() < a.retarget:
        own = data.landmarks[index] - MARGIN
        look.offset = with_pupils(retarget_offset(understudy_shape(rng), own))
    noise = rng.standard_normal((2, LANDMARKS + 2, 2)) * a.landmark_noise_px
    matrix = field_transform(*first)
    views = [make_view(data, index, matrix, look, noise[0])]
    between = np.eye(2, 3, dtype=np.float32)
    if pair:
        cos, sin = np.cos(second[0]) * second[1], np.sin(second[0]) * second[1]
        turn, shift = np.array([[cos, -sin], [sin, cos]]), second[2]
        moved = turn @ (matrix[:, 2] - _FIELD_CENTRE) + _FIELD_CENTRE + shift
        views.append(make_view(data, index, np.concatenate([turn @ matrix[:, :2], moved[:, None]], 1).astype(np.float32), look, noise[1]))
        if flip:
            mirror = np.diag([-1.0, 1.0])
            turn, shift = mirror @ turn @ mirror, mirror @ shift
        between = np.concatenate([turn, shift[:, None]], 1).astype(np.float32)
    if withhold:
        for view in views:
            view.points[LANDMARKS:] = UNKNOWN
    return views, between


def warp_back(second: Tensor, between: Tensor) -> Tensor:
    """Pulls the second views (N×C×128²) into the frames of the first; `between` N×2×3 as `training_views` gives it."""
    n, size = second.shape[0], second.shape[-1]
    axis = torch.arange(size, dtype=torch.float32) - (size - 1) / 2
    y, x = torch.meshgrid(axis, axis, indexing="ij")
    grid = torch.stack([x, y], -1).view(1, -1, 2).expand(n, -1, -1)
    at = grid @ between[:, :, :2].transpose(1, 2) + between[:, None, :, 2]
    grid = (at * (2 / size)).view(n, size, size, 2)
    return F.grid_sample(second, grid, mode="bilinear", padding_mode="border", align_corners=False)


def to_tensors(views: list[View]) -> tuple[Tensor, Tensor, Tensor]:
    """-> picture N×3×128² in [−1, 1], mask N×1×128², points N×70×2."""
    picture = torch.from_numpy(np.stack([v.picture for v in views])).permute(0, 3, 1, 2).float() / 127.5 - 1
    mask = torch.from_numpy(np.stack([v.mask for v in views]))[:, None].float()
    return picture, mask, torch.from_numpy(np.stack([v.points for v in views]))


def plain_views(data: FaceData, indices) -> tuple[Tensor, Tensor, Tensor]:
    """Crops as they are served: no augmentation."""
    return to_tensors([make_view(data, int(i), field_transform()) for i in indices])


@dataclass
class Batch:
    """Rows: `own` pictures that are rebuilt, then 2·`pairs` that become somebody else. A pair shows one picture twice: in two
    views with one identity (`between` given), or in one view with two identities (`between` None)."""

    picture: Tensor
    mask: Tensor
    points: Tensor
    exact: Tensor
    """The 68 landmarks without the noise that `points` carry."""
    z: Tensor
    people: Tensor
    """Embeddings N×512 of the people in the pictures."""
    own: int
    pairs: int
    rim: Tensor
    """What the masks hide beside the faces, N×1×128²: it's no part of anybody, and can be rebuilt."""
    between: Tensor | None
    still: bool
    """The two views differ in nothing but the noise of the landmarks."""


@functools.cache
def _cast(path: str) -> np.ndarray:
    """Read once a run."""
    return load_cast(Path(path))


def make_batch(data: FaceData, config: RunConfig, step: int) -> Batch:
    """The same for the same data, configuration and step."""
    rng = np.random.default_rng([config.seed, step])
    pairs = int(config.batch * (1 - config.own_share)) // 2
    own = config.batch - 2 * pairs
    chosen = rng.choice(data.training, own + pairs, replace=own + pairs > len(data.training), p=data.probability)
    two_views = step % 2 == 0
    a = config.augmentation
    views = [training_views(data, i, a, rng, False)[0][0] for i in chosen[:own]]
    still = two_views and rng.random() < a.still
    seen = [training_views(data, i, a, rng, two_views, still, other=True) for i in chosen[own:]]
    first, second = [v[0] for v, _ in seen], [v[-1] for v, _ in seen]
    codes = data.identities.codes
    own_z = codes[chosen[:own]] + rng.standard_normal((own, Z)) * 0.1
    other = codes[rng.choice(data.training, 2 * pairs)]
    drawn = rng.standard_normal((2 * pairs, Z))
    other_z = np.where(rng.random((2 * pairs, 1)) < 0.5, other, drawn)
    if config.cast_share:
        cast = _cast(config.cast)
        served = cast[rng.integers(len(cast), size=2 * pairs)] + rng.standard_normal((2 * pairs, Z)) * 0.1
        other_z = np.where(rng.random((2 * pairs, 1)) < config.cast_share, served, other_z)
    if two_views:
        other_z[pairs:] = other_z[:pairs]
    picture, mask, points = to_tensors(views + first + second)
    rim = torch.from_numpy(np.stack([v.rim for v in views + first + second]))[:, None].float()
    exact = torch.from_numpy(np.stack([v.exact[:LANDMARKS] for v in views + first + second]))
    people = data.identities.embeddings[np.concatenate([chosen, chosen[own:]])]
    return Batch(
        picture, mask, points, exact, torch.from_numpy(np.concatenate([own_z, other_z]).astype(np.float32)), torch.from_numpy(people),
        own, pairs, rim, torch.from_numpy(np.stack([t for _, t in seen])) if two_views and seen else None, still,
    )


def batches(data: FaceData, config: RunConfig, first_step: int, ahead: int = 4):
    """Endless; made by a thread, in order. An error in it is raised here. The thread ends with the iteration: one that is still at work
    when the interpreter goes away takes the process down."""
    ready: queue.Queue = queue.Queue(ahead)
    stop = threading.Event()

    def hand_over(item) -> None:
        while not stop.is_set():
            try:
                return ready.put(item, timeout=0.2)
            except queue.Full:
                continue

    def work() -> None:
        step = first_step
        while not stop.is_set():
            try:
                hand_over(make_batch(data, config, step))
            except Exception as error:
                return hand_over(error)
            step += 1

    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    try:
        while True:
            batch = ready.get()
            if isinstance(batch, Exception):
                raise batch
            yield batch
    finally:
        stop.set()
        thread.join()
