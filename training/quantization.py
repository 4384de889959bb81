"""Convolutions that can train with the rounding of int8 inference: uint8 activations per tensor, weights of 7 bits per channel (as training.export writes them)."""
from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

_MOMENTUM = 0.02


class QuantConv2d(nn.Conv2d):
    """A convolution until `fake_quant` is set; then its input and weights pass through the grid they will be served on, and the
    gradient passes straight through. The input's range is averaged over the batches seen in training."""

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.fake_quant = False
        self.register_buffer("low", torch.tensor(float("nan")))
        self.register_buffer("high", torch.tensor(float("nan")))

    @torch.no_grad()
    def _observe(self, x: Tensor) -> None:
        low, high = x.amin().clamp(max=0), x.amax().clamp(min=1e-4)
        if torch.isnan(self.low):
            self.low.copy_(low), self.high.copy_(high)
        elif self.training:
            self.low.lerp_(low, _MOMENTUM), self.high.lerp_(high, _MOMENTUM)

    def forward(self, x: Tensor) -> Tensor:
        if not self.fake_quant:
            return super().forward(x)
        self._observe(x.detach())
        scale = float((self.high - self.low) / 255)
        zero = round(-float(self.low) / scale)
        x = torch.fake_quantize_per_tensor_affine(x, scale, zero, 0, 255)
        widths = self.weight.detach().abs().amax((1, 2, 3)).clamp(min=1e-8) / 63
        weight = torch.fake_quantize_per_channel_affine(self.weight, widths, torch.zeros_like(widths, dtype=torch.int32), 0, -63, 63)
        return F.conv2d(x, weight, self.bias, self.stride, self.padding, self.dilation, self.groups)


def set_fake_quant(model: nn.Module, layers: tuple[str, ...]) -> None:
    """Turns rounding on for the convolutions named (by prefix), off for the rest."""
    for name, module in model.named_modules():
        if isinstance(module, QuantConv2d):
            module.fake_quant = any(name == layer or name.startswith(layer + ".") for layer in layers)


INT8_LAYERS = (
    "enc32", "down16", "enc16", "down8", "mid1", "mid2", "up16", "dec16", "up32", "dec32", "up64", "head",
)
"""Served in int8. The rest draws the face at 64² and above, where rounding shows as flicker."""
