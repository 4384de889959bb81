"""What `z` is: whitened principal components of a recognizer's embeddings, so that a draw from N(0, I) is somebody's embedding."""
from __future__ import annotations

from pathlib import Path

import numpy as np

Z = 64


def fit_identities(embeddings: np.ndarray, size: int = Z) -> dict[str, np.ndarray]:
    """(N, 512) -> mean (512), components (size, 512), sd (size). With fewer samples than `size` the rest has no extent."""
    mean = embeddings.mean(0)
    _, singular, rows = np.linalg.svd(embeddings - mean, full_matrices=False)
    k = min(size, len(rows))
    components, sd = np.zeros((size, embeddings.shape[1]), np.float32), np.full(size, 1e-6, np.float32)
    components[:k], sd[:k] = rows[:k], np.maximum(singular[:k] / np.sqrt(max(1, len(embeddings) - 1)), 1e-6)
    return {"mean": mean.astype(np.float32), "components": components, "sd": sd}


class Identities:
    """Codes of the data set's people and the way back from a code to an embedding."""

    def __init__(self, path: Path):
        data = np.load(path)
        self.mean, self.components, self.sd = data["mean"], data["components"], data["sd"]
        self.embeddings = data["embeddings"]
        self.codes = ((self.embeddings - self.mean) @ self.components.T / self.sd).astype(np.float32)

    def __len__(self) -> int:
        return len(self.codes)
