"""The runtime's recognizer and landmark model as differentiable judges of who a picture shows, and in what pose."""
from __future__ import annotations

from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from .onnx_models import ARCFACE, MODELS, model_path


class DifferentiableRecognizer(nn.Module):
    """N×3×128² in [-1, 1] and its landmarks -> N×512 of unit length. The alignment may be jittered, or the network fools it."""

    def __init__(self, folder: Path = MODELS):
        super().__init__()
        import onnx
        from onnx2torch import convert

        self.net = convert(onnx.load(str(model_path("face-recognizer", folder)))).eval()
        self.register_buffer("template", torch.from_numpy(ARCFACE))
        axis = torch.arange(112.0)
        y, x = torch.meshgrid(axis, axis, indexing="ij")
        self.register_buffer("grid", torch.stack([x, y], -1).view(1, -1, 2))
        self.requires_grad_(False)

    def forward(self, picture: Tensor, landmarks: Tensor, jitter_px: float = 0.0) -> Tensor:
        n, size = picture.shape[0], picture.shape[-1]
        points = torch.stack(
            [landmarks[:, 36:42].mean(1), landmarks[:, 42:48].mean(1), landmarks[:, 30], landmarks[:, 48], landmarks[:, 54]], 1
        )
        template = self.template + torch.randn(n, 1, 2) * jitter_px
        centre, to = template.mean(1, keepdim=True), points.mean(1, keepdim=True)
        a, b = template - centre, points - to
        power = (a * a).sum((1, 2))
        c = (a * b).sum((1, 2)) / power
        d = (a[..., 0] * b[..., 1] - a[..., 1] * b[..., 0]).sum(1) / power
        rotation = torch.stack([torch.stack([c, -d], 1), torch.stack([d, c], 1)], 1)
        at = (self.grid - centre) @ rotation.transpose(1, 2) + to
        grid = ((at + 0.5) * (2 / size) - 1).view(n, 112, 112, 2)
        aligned = F.grid_sample(picture, grid, mode="bilinear", padding_mode="reflection", align_corners=False)
        return F.normalize(self.net(aligned * (127.5 / 128)).reshape(n, -1), dim=1)


class DifferentiableLandmarks(nn.Module):
    """N×3×128² in [-1, 1] and the points it should show -> N×68×2 found, in the same pixels, by the runtime's landmark model."""

    def __init__(self, folder: Path = MODELS):
        super().__init__()
        import onnx
        from onnx2torch import convert

        self.net = convert(onnx.load(str(model_path("face-landmarks", folder)))).eval()
        self.register_buffer("luma", torch.tensor([0.299, 0.587, 0.114]).view(1, 3, 1, 1))
        axis = (torch.arange(64.0) + 0.5) / 64 - 0.5
        y, x = torch.meshgrid(axis, axis, indexing="ij")
        self.register_buffer("grid", torch.stack([x, y], -1).view(1, -1, 2))
        self.requires_grad_(False)

    def forward(self, picture: Tensor, expected: Tensor, jitter: float = 0.0) -> Tensor:
        n, size = picture.shape[0], picture.shape[-1]
        with torch.no_grad():
            eyes = expected[:, 42:48].mean(1) - expected[:, 36:42].mean(1)
            x = F.normalize(eyes, dim=1)
            axes = torch.stack([x, torch.stack([-x[:, 1], x[:, 0]], 1)], 2)  # columns: the face's own right and down
            turned = expected[:, :68] @ axes
            low, high = turned.amin(1), turned.amax(1)
            side = 1.15 * (high[:, 1] - low[:, 1]) * (1 + torch.randn(n) * jitter)
            centre = (low + high) / 2 + torch.randn(n, 2) * jitter * side[:, None]
            centre = torch.stack([centre[:, 0], centre[:, 1] - 0.04 * side], 1)[:, None]
            at = (self.grid * side[:, None, None] + centre) @ axes.transpose(1, 2)
            grid = ((at + 0.5) * (2 / size) - 1).view(n, 64, 64, 2)
        gray = (((picture + 1) * 127.5).clamp(0, 255) * self.luma).sum(1, keepdim=True)
        # One sample stands for about 1.6 pixels each way.
        gray = F.avg_pool2d(gray, 3, 1, 1, count_include_pad=False) * 0.5 + gray * 0.5
        crop = F.grid_sample(gray, grid, mode="bilinear", padding_mode="reflection", align_corners=False)
        raw = self.net(crop / 256).view(n, 68, 2)
        between = (raw[:, 42:48].mean(1) - raw[:, 36:42].mean(1)).norm(dim=1).view(n, 1, 1)
        local = raw - torch.tensor([0.013, 0.012]) * between - 0.5
        return (local * side[:, None, None] + centre) @ axes.transpose(1, 2)
