"""The generator's figures, network alone: no retargeting, no photometry (`understudy evaluate` judges the whole pipeline).

    python -m training.evaluate EXPORT.onnx ... --data FACES [--crops 800] [--london FOLDER] [--cast identities.json] [--truncation 0.9] [--sheet OUT.jpg] [--pairs FOLDER]

One JSON line per export and set. `found`: share of outputs in which the detector finds a face. `landmarks`, `inner`: mean of
(|Δx| + |Δy|)/2 over 68 or the inner 51 points, over the inter-ocular distance. `cosine`: recognizer, original against output with a
drawn z; `accepted`: of them above the threshold of FAR 1e-3 between the set's own people; `rank1` against a gallery of 300 originals.
`different`: outputs of different pictures and z; `same_picture`: two z on one picture. `kid`: EfficientNet-Lite1 features, originals
against outputs, ×1000, mean of 100 subsets. `flicker`: as training.compare.

--pairs writes the validation crops, original and with each export's face, for judges that training never saw:
`understudy evaluate --originals FOLDER/originals --anonymized FOLDER/EXPORT`.
"""
from __future__ import annotations

import argparse
import csv
import json
import tempfile
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from .compare import flicker
from .data import FaceData, Hazy, plain_views
from .geometry import MARGIN, STORED, inter_ocular
from .identity import Z, drawn, load_cast
from .model import INPUTS, OUTPUT, blanked, colour_guide
from .onnx_models import FaceDetector, LandmarkModel, Recognizer, crop_from_points, session
from .prepare import crop_face, read_picture
from .sheets import grid, spread

GALLERY = 300
FAR = 1e-3


def generate(net, picture, mask, points, z) -> np.ndarray:
    """-> composited crops N×128×128×3 uint8."""
    context = blanked(picture, mask)
    faces = []
    for i in range(len(picture)):
        one = slice(i, i + 1)
        values = (context[one], mask[one], points[one], colour_guide(picture[one], mask[one]), z[one])
        faces.append(net.run([OUTPUT], dict(zip(INPUTS, (v.numpy() for v in values))))[0])
    return to_bytes(context + mask * torch.from_numpy(np.concatenate(faces)))


def to_bytes(picture: torch.Tensor) -> np.ndarray:
    return ((picture + 1) * 127.5).round().clamp(0, 255).byte().permute(0, 2, 3, 1).numpy()


def kernel_distance(a: np.ndarray, b: np.ndarray, subsets: int = 100, size: int = 100, seed: int = 0) -> float:
    """KID ×1000 (Bińkowski et al., 2018): unbiased MMD² with a cubic kernel, mean over subsets."""
    rng = np.random.default_rng(seed)
    size = min(size, len(a), len(b))
    kernel = lambda x, y: (x @ y.T / x.shape[1] + 1) ** 3  # noqa: E731
    values = []
    for _ in range(subsets):
        x, y = a[rng.choice(len(a), size, False)], b[rng.choice(len(b), size, False)]
        xx, yy, xy = kernel(x, x), kernel(y, y), kernel(x, y)
        within = (xx.sum() - np.trace(xx) + yy.sum() - np.trace(yy)) / (size * (size - 1))
        values.append(within - 2 * xy.mean())
    return float(np.mean(values) * 1000)


def feature_vectors(pictures: np.ndarray) -> np.ndarray:
    from .features import EfficientNetLite

    net = EfficientNetLite(1)
    x = torch.from_numpy(pictures).permute(0, 3, 1, 2).float() / 127.5 - 1
    with torch.no_grad():
        return torch.cat([net(part)[-1].mean((2, 3)) for part in x.split(32)]).numpy()


def scaled(first: np.ndarray, second: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Both by the first's spread per feature: the cubic kernel would hear only the loudest."""
    mean, deviation = first.mean(0), first.std(0) + 1e-6
    return (first - mean) / deviation, (second - mean) / deviation


def threshold_at_far(embeddings: np.ndarray, far: float = FAR) -> float:
    """Cosine that `far` of the pairs of different people exceed."""
    cosine = embeddings @ embeddings.T
    return float(np.quantile(cosine[np.triu_indices(len(cosine), 1)], 1 - far))


class Judges:
    def __init__(self):
        self.detect, self.landmarks, self.recognize = FaceDetector(), LandmarkModel(), Recognizer()

    def found(self, stored: np.ndarray, crops: np.ndarray) -> np.ndarray:
        """Whether a face is seen in the picture around the crop with the crop put back."""
        results = []
        for around, crop in zip(stored, crops):
            picture = around.copy()
            picture[MARGIN:-MARGIN, MARGIN:-MARGIN] = crop
            results.append(len(self.detect(np.pad(picture, ((40, 40), (40, 40), (0, 0)), mode="edge"), 0.6)) > 0)
        return np.array(results)

    def point_errors(self, crops: np.ndarray, points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        found = np.stack([self.landmarks.find(c, crop_from_points(p[:68])) for c, p in zip(crops, points)])
        apart = np.abs(found - points[:, :68]).mean(2) / inter_ocular(points)[:, None]
        return apart.mean(1), apart[:, 17:].mean(1)


def evaluate(path: Path, data: FaceData, indices: np.ndarray, judges: Judges, truncation: float = 1.0, cast: np.ndarray | None = None, seed: int = 0) -> tuple[dict, dict]:
    """-> figures, and per-picture arrays. Identities are of N(0, truncation²·I), or people of the `cast`."""
    net = session(path)
    picture, mask, points = plain_views(data, indices)
    g = torch.Generator().manual_seed(seed)
    if cast is not None:
        z, other_z = drawn(cast, 2 * len(indices), seed).view(2, len(indices), Z) * truncation
    else:
        z, other_z = torch.randn(2, len(indices), Z, generator=g) * truncation
    crops = generate(net, picture, mask, points, z)
    few = spread(np.arange(len(indices)), min(200, len(indices)))
    again = generate(net, picture[few], mask[few], points[few], other_z[few])
    originals = to_bytes(picture)
    p = points.numpy()
    own, new, second = judges.recognize(originals, p), judges.recognize(crops, p), judges.recognize(again, p[few])
    threshold = threshold_at_far(own)
    cosine = (own * new).sum(1)
    gallery = min(GALLERY, len(own))
    ranks = (new[:gallery] @ own[:gallery].T).argmax(1) == np.arange(gallery)
    among = new @ new.T
    whole, inner = judges.point_errors(crops, p)
    feeds = [
        dict(zip(INPUTS, (v[i : i + 1].numpy() for v in (blanked(picture, mask), mask, points, colour_guide(picture, mask), z))))
        for i in spread(np.arange(len(indices)), 24)
    ]
    seen = judges.found(data.faces[indices], crops)
    figures = {
        "file": path.name, "faces": len(indices), "found": seen.mean(), "landmarks": whole.mean(), "inner": inner.mean(),
        "cosine": cosine.mean(), "threshold": threshold, "accepted": (cosine > threshold).sum(), "rank1": ranks.mean(),
        "different": among[np.triu_indices(len(among), 1)].mean(), "same_picture": (new[few] * second).sum(1).mean(),
        "kid": kernel_distance(*scaled(feature_vectors(originals), feature_vectors(crops))), "flicker": np.mean([flicker(net, f) for f in feeds]),
    }
    return {k: v if isinstance(v, str) else round(float(v), 4) for k, v in figures.items()}, {
        "cosine": cosine, "landmarks": whole, "found": seen, "crops": crops,
    }


def london_data(folder: Path, out: Path) -> tuple[FaceData, list[dict]]:
    """The neutral photographs as data, with each person's row of info.csv."""
    with open(folder / "info.csv") as file:
        rows = {row["face_id"].lstrip("X").zfill(3): row for row in csv.DictReader(file)}
    detect, locate = FaceDetector(), LandmarkModel().locate
    crops, points, people = [], [], []
    for path in sorted(folder.glob("*_neutral.jpg")):
        picture = read_picture(path)
        boxes = detect(picture)
        if not len(boxes):
            continue
        crop, local, _ = crop_face(picture, locate(picture, max(boxes, key=lambda b: b[2] - b[0]))[0])
        crops.append(crop), points.append(local), people.append(rows.get(path.name[:3], {}))
    n = len(crops)
    out.mkdir(parents=True, exist_ok=True)
    np.save(out / "faces.npy", np.stack(crops))
    np.savez(
        out / "labels.npz", landmarks=np.stack(points).astype(np.float32), pupils=np.full((n, 2, 2), np.nan, np.float32),
        source=np.array(["london"] * n), val=np.ones(n, bool), side=np.full(n, STORED - 2 * MARGIN, np.float32),
    )
    zeros = {"embeddings": np.zeros((n, 512)), "mean": np.zeros(512), "components": np.zeros((Z, 512)), "sd": np.ones(Z)}
    np.savez(out / "identities.npz", **{k: v.astype(np.float32) for k, v in zeros.items()})
    return FaceData(out), people


def by_group(people: list[dict], arrays: dict) -> list[dict]:
    """Figures per gender, ethnicity and age of info.csv."""
    rows = []
    groups = {f"{k[5:]} {p[k].lower()}" for p in people for k in ("face_gender", "face_eth") if k in p}
    tests = {name: [p.get("face_" + name.split(" ", 1)[0], "").lower() == name.split(" ", 1)[1] for p in people] for name in groups}
    ages = [float(p["face_age"]) if p.get("face_age", "").replace(".", "").isdigit() else np.nan for p in people]
    tests |= {"age under 30": [a < 30 for a in ages], "age 30 and more": [a >= 30 for a in ages]}
    for name, chosen in sorted(tests.items()):
        chosen = np.array(chosen)
        if chosen.any():
            rows.append({"group": name, "people": int(chosen.sum())} | {k: round(float(arrays[k][chosen].mean()), 4) for k in ("cosine", "landmarks", "found")})
    return rows


def save_pictures(folder: Path, stored: np.ndarray, crops: np.ndarray | None = None) -> None:
    """The stored crops, with those of a network put back where given; a margin lets detectors see that there is a face."""
    folder.mkdir(parents=True, exist_ok=True)
    for i, around in enumerate(stored):
        picture = around.copy()
        if crops is not None:
            picture[MARGIN:-MARGIN, MARGIN:-MARGIN] = crops[i]
        Image.fromarray(np.pad(picture, ((40, 40), (40, 40), (0, 0)), mode="edge")).save(folder / f"{i:04d}.png")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("exports", type=Path, nargs="+")
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--crops", type=int, default=800)
    parser.add_argument("--london", type=Path)
    parser.add_argument("--truncation", type=float, default=1.0, help="identities are drawn from N(0, t²·I)")
    parser.add_argument("--cast", type=Path, help="people of this file, as it is served (training.cast)")
    parser.add_argument("--sheet", type=Path, help="contact sheet of 16 crops: original, then each export")
    parser.add_argument("--haze", action="store_true", help="the same crops made pale, each by another haze")
    parser.add_argument("--pairs", type=Path, help="folder for the pictures, to be judged by `understudy evaluate`")
    a = parser.parse_args()
    data, judges = FaceData(a.data), Judges()
    if a.haze and a.pairs:
        parser.error("--pairs keeps the crops as they are: leave out --haze")
    if a.haze:
        data.faces = Hazy(data.faces)
    indices = spread(data.validation if len(data.validation) else data.training, a.crops)
    cast = load_cast(a.cast) if a.cast else None
    shown = []
    if a.pairs:
        save_pictures(a.pairs / "originals", data.faces[indices])
    with tempfile.TemporaryDirectory() as folder:
        london = london_data(a.london, Path(folder)) if a.london else None
        for path in a.exports:
            figures, arrays = evaluate(path, data, indices, judges, a.truncation, cast)
            print(json.dumps({"set": "validation"} | figures), flush=True)
            shown.append(arrays["crops"])
            if a.pairs:
                save_pictures(a.pairs / path.stem, data.faces[indices], arrays["crops"])
            if london:
                figures, arrays = evaluate(path, london[0], london[0].validation, judges, a.truncation, cast)
                print(json.dumps({"set": "london"} | figures), flush=True)
                for row in by_group(london[1], arrays):
                    print(json.dumps({"file": path.name} | row), flush=True)
    if a.sheet:
        few = spread(np.arange(len(indices)), 16)
        rows = [to_bytes(plain_views(data, indices[few])[0])] + [crops[few] for crops in shown]
        grid([torch.from_numpy(r).permute(0, 3, 1, 2).float() / 127.5 - 1 for r in rows]).save(a.sheet)


if __name__ == "__main__":
    main()
