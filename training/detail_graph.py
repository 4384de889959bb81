"""The detail network as it is served: drawn within a window around the mask, and in int8."""
from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from .config import Augmentation
from .detail import DETAIL_SIZE, LEAST, LIT, Detail, enlarged
from .geometry import SIZE
from .identity import load_cast
from .model import INPUTS, OUTPUT, SLOPE, TRUNK, LineMaps, blanked, colour_guide
from .onnx_models import session
from .sharp_data import SharpData, sharp_batch

DETAIL_INPUTS = ("small", "context", "mask", "landmarks")
MARGIN = 2
"""Cells of 64² around the mask that are drawn as well: what the layers take for nothing beyond the window reaches the mask's rim only weakly
(72 dB in the mask; 57 with no margin, all there is with 5)."""
_FACTOR = DETAIL_SIZE // TRUNK


@torch.jit.script
def _widened(x: Tensor, top: Tensor, bottom: Tensor, left: Tensor, right: Tensor, size: int) -> Tensor:
    """A window's content in a picture of `size` that is 0 elsewhere. Scripted, for a traced pad would be the example's."""
    return F.pad(x, [int(left), size - int(right), int(top), size - int(bottom)])


def _span(seen: Tensor) -> tuple[Tensor, Tensor]:
    """Of 64 cells, 1 where the mask is: the first and the end of those drawn. All of them where there is no mask."""
    at = torch.arange(TRUNK, dtype=seen.dtype)
    first, last = TRUNK - 1 - (seen * (TRUNK - 1 - at)).amax(), (seen * at).amax()
    # Nowhere a mask: first is 63 and last 0.
    first, last = torch.minimum(first, last), torch.maximum(first, last)
    return (first - MARGIN).clamp(min=0).long(), (last + 1 + MARGIN).clamp(max=TRUNK).long()


class DetailGraph(nn.Module):
    """A generator's face of 128² and what it was drawn from -> the face of 256², with detail where the mask is.

    Half of the field is mask, and 70 % of it the window around that. The picture's four phases and its light come from one convolution:
    shuffling pixels takes ONNX Runtime longer."""

    def __init__(self, detail: Detail):
        super().__init__()
        self.detail, self.lines = detail, LineMaps()
        phases = torch.cat([torch.eye(12), torch.full((1, 12), 1 / (12 * 2 * LIT))]).view(13, 3, 2, 2)
        self.phases = nn.Conv2d(3, 13, 2, 2)
        self.phases.weight = nn.Parameter(phases)
        self.phases.bias = nn.Parameter(torch.cat([torch.zeros(12), torch.full((1,), 1 / (2 * LIT))]))

    def forward(self, small: Tensor, context: Tensor, mask: Tensor, landmarks: Tensor) -> Tensor:
        cells = F.max_pool2d(mask, SIZE // TRUNK).amax((0, 1))
        (top, bottom), (left, right) = _span(cells.amax(1)), _span(cells.amax(0))
        picture = (context + mask * small)[:, :, 2 * top : 2 * bottom, 2 * left : 2 * right]
        lines = self.lines(landmarks)[:, :, top:bottom, left:right]
        phases = self.phases(picture)
        x = F.leaky_relu(self.detail.first(torch.cat([phases[:, :12], lines], 1)), SLOPE)
        for conv in self.detail.inner:
            x = x + F.leaky_relu(conv(x), SLOPE)
        drawn = F.pixel_shuffle(self.detail.last(x) * phases[:, 12:].clamp(LEAST, 1), _FACTOR)
        edges = (_FACTOR * at for at in (top, bottom, left, right))
        return (enlarged(small) + _widened(drawn, *edges, DETAIL_SIZE)).clamp(-1, 1)


def detail_feeds(data: SharpData, generator: Path, cast: Path, indices: Iterable[int], seed: int = 0) -> Iterator[dict[str, np.ndarray]]:
    """What the detail is asked about when served: real crops, one at a time, with the exported generator's faces of people of the cast."""
    rng, net, people = np.random.default_rng(seed), session(generator), load_cast(cast)
    for index in indices:
        batch = sharp_batch(data, np.array([index]), Augmentation(tone=0.3), rng)
        values = (blanked(batch.small, batch.mask), batch.mask, batch.points, colour_guide(batch.small, batch.mask))
        z = people[rng.integers(len(people))][None].astype(np.float32)
        feed = dict(zip(INPUTS, (*(v.numpy() for v in values), z)))
        yield {"small": net.run([OUTPUT], feed)[0]} | {name: feed[name] for name in DETAIL_INPUTS[1:]}
