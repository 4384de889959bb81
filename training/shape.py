"""Principal components of 68-point face shapes in canonical-crop pixels (docs/architecture.md, "Retargeting").

    python training/shape.py FACES/runtime.npz models/shape/shape-68.json
"""
import argparse
import json

import numpy as np

CROP = 128
COMPONENTS = 24


def canonical(points: np.ndarray) -> np.ndarray:
    """(N, 68, 2) points in any similarity frame -> the generator's aligned crop, pixels."""
    left, right = points[:, 36:42].mean(1), points[:, 42:48].mean(1)
    mouth = (points[:, 48] + points[:, 54]) / 2
    eyes = right - left
    centre = (left + right) / 2
    down = mouth - centre
    x = eyes + np.stack([down[:, 1], -down[:, 0]], 1)
    x /= np.linalg.norm(x, axis=1, keepdims=True)
    y = np.stack([-x[:, 1], x[:, 0]], 1)
    side = 3.4 * np.maximum(np.linalg.norm(eyes, axis=1), 0.93 * np.linalg.norm(down, axis=1))
    relative = points - (centre + 0.28 * down)[:, None]
    axes = np.stack([x, y], 2)
    return np.einsum("npi,nij->npj", relative, axes) * (CROP / side)[:, None, None] + CROP / 2


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("landmarks")
    parser.add_argument("out")
    arguments = parser.parse_args()
    points = np.load(arguments.landmarks)["landmarks"].astype(np.float64)
    shapes = canonical(points[np.isfinite(points).all((1, 2))]).reshape(-1, 136)
    mean = np.median(shapes, 0)
    # Labels that are wrong altogether would stretch the limits that wrong labels are to be found by.
    distance = np.sqrt(((shapes - mean) ** 2).mean(1))
    shapes = shapes[distance < np.quantile(distance, 0.985)]
    mean = shapes.mean(0)
    _, singular, rows = np.linalg.svd(shapes - mean, full_matrices=False)
    components = rows[:COMPONENTS]
    sigma = singular[:COMPONENTS] / np.sqrt(len(shapes) - 1)
    weights = (shapes - mean) @ components.T
    residual = np.sqrt(((shapes - mean - weights @ components) ** 2).sum(1) / 68)
    mahalanobis = np.sqrt(((weights / sigma) ** 2).sum(1))
    model = {
        "landmarks": 68,
        "unit": "canonical-crop pixels",
        "samples": len(shapes),
        "mean": np.round(mean, 3).tolist(),
        "components": np.round(components, 5).tolist(),
        "sigma": np.round(sigma, 4).tolist(),
        "residualSigma": round(float(residual.std()), 4),
        "residualLimit": round(float(np.quantile(residual, 0.999)), 4),
        "mahalanobisLimit": round(float(np.quantile(mahalanobis, 0.999)), 4),
    }
    with open(arguments.out, "w") as file:
        json.dump(model, file)
        file.write("\n")
    print({k: v for k, v in model.items() if k not in ("mean", "components")})


if __name__ == "__main__":
    main()
