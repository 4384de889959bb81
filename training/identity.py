"""What `z` is: whitened principal components of a recognizer's embeddings, so that a draw from N(0, I) is somebody's embedding."""
from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import torch

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


def load_cast(path: Path) -> np.ndarray:
    """-> people×Z. Raises ValueError that names the file when it holds no cast."""
    people = np.array(json.loads(path.read_text()).get("people", []), np.float32)
    if people.ndim != 2 or people.shape[1] != Z:
        raise ValueError(f"{path} is no cast: it needs lists of {Z} numbers under 'people', as training.cast choose writes them")
    return people


def drawn(people: np.ndarray, count: int, seed: int = 0) -> torch.Tensor:
    """`count`×Z of the cast, nobody twice before the others."""
    rng = np.random.default_rng(seed)
    rounds = [rng.permutation(len(people)) for _ in range(-(-count // len(people)))]
    return torch.from_numpy(people[np.concatenate(rounds)[:count]])
