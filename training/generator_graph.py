"""The generator as it is served: the same sums, in the order in which ONNX Runtime is quick at them."""
from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from .geometry import SIZE
from .model import TRUNK, Generator


class _Padded(nn.Module):
    """A convolution with one input more, which weighs nothing: 23 channels fit no block of ONNX Runtime's fast kernels, 24 do."""

    def __init__(self, conv: nn.Conv2d):
        super().__init__()
        self.weight = nn.Parameter(torch.cat([conv.weight, torch.zeros_like(conv.weight[:, :1])], 1).detach())
        self.bias = conv.bias

    def forward(self, x: Tensor) -> Tensor:
        return F.conv2d(torch.cat([x, x[:, :1]], 1), self.weight, self.bias, padding=1)


class GeneratorGraph(Generator):
    """A copy of a generator whose pixels are sorted by convolutions and in whole rows of channels: shuffling them one by one took 1.2 of 14.5 ms,
    and three channels fill no block of a convolution."""

    def __init__(self, generator: Generator):
        super().__init__(generator.widths)
        self.load_state_dict(generator.state_dict())
        self.eval().to(memory_format=torch.contiguous_format)
        self.stem.conv = _Padded(self.stem.conv)
        self.phases = nn.Conv2d(4, 16, 2, 2, bias=False)
        self.phases.weight = nn.Parameter(torch.eye(16).view(16, 4, 2, 2))
        self.head.weight, self.head.bias = (nn.Parameter(_by_phase(p.detach())) for p in (self.head.weight, self.head.bias))
        self.out = _four_at_once(self.out)

    def sorted_out(self, x: Tensor) -> Tensor:
        return self.phases(x)

    def doubled(self, x: Tensor) -> Tensor:
        # As rows of channels, which is how an int8 convolution leaves them, two rows of phases become two rows of pixels.
        rows = self.head(x).permute(0, 2, 3, 1).reshape(-1, TRUNK, TRUNK, 2, self.head.out_channels // 2).transpose(2, 3)
        return rows.reshape(-1, SIZE, SIZE, self.fine.in_channels).permute(0, 3, 1, 2)

    def coloured(self, x: Tensor) -> Tensor:
        return F.pixel_shuffle(self.out(x), 2)


def _by_phase(weight: Tensor) -> Tensor:
    """Outputs in a pixel shuffle's order (channel, phase) -> (phase, channel)."""
    return weight.unflatten(0, (-1, 4)).transpose(0, 1).flatten(0, 1).contiguous()


def _four_at_once(conv: nn.Conv2d) -> nn.Conv2d:
    """A 3×3 convolution as one of 4×4 that draws the four pixels of a square as channels, for a pixel shuffle."""
    outputs, inputs = conv.weight.shape[:2]
    weight = torch.zeros(outputs, 2, 2, inputs, 4, 4)
    for y in range(2):
        for x in range(2):
            weight[:, y, x, :, y : y + 3, x : x + 3] = conv.weight.detach()
    four = nn.Conv2d(inputs, 4 * outputs, 4, 2, 1)
    four.weight, four.bias = nn.Parameter(weight.flatten(0, 2)), nn.Parameter(conv.bias.detach().repeat_interleave(4))
    return four
