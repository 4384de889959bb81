"""The runtime's recognizer as a differentiable judge of who a picture shows."""
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
