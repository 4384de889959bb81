"""Who the runtime's understudies are: people whom a generator draws well.

    python -m training.cast measure GENERATOR.onnx OUT --data FACES [--candidates 2400] [--crops 10] [--smooth 0.35]
    python -m training.cast choose OUT identities.json [--first 1200] [--without 8,10,37] [--count 260]

Half of what N(0, I) holds are cracked cheeks, shadows of glasses and smears, and mostly on whatever picture they're drawn into: it lies in `z`. No network
that knows textures tells them from the others (README, "The cast"), so an eye does. `measure` draws candidates on a few crops, puts those first whose points
are where they were asked for and, by `--smooth`, whose skin is smooth (1.3: hardly any are cracked, and all are young), and writes pages to look at, numbered. `choose` writes the first of them without those refused, and of these the `count` that are least alike.
"""
from __future__ import annotations

import argparse
import json
from pathlib import Path

import numpy as np
import torch
from PIL import Image, ImageDraw

from .data import FaceData, plain_views
from .evaluate import Judges, generate
from .identity import Z
from .onnx_models import session
from .sheets import spread

_INSIDE = np.s_[:, 40:110, 36:92]
"""Of a canonical crop: brows to chin, between the cheeks."""
_SHOWN, _TILE, _COLUMNS, _ROWS = 3, 80, 19, 4


def roughness(crops: np.ndarray) -> np.ndarray:
    """N×128×128×3 -> N: logarithm of the mean of the absolute Laplacian of brightness within the face."""
    gray = crops[_INSIDE].astype(np.float32).mean(-1)
    inner = gray[:, 1:-1, 1:-1]
    edges = 4 * inner - gray[:, 2:, 1:-1] - gray[:, :-2, 1:-1] - gray[:, 1:-1, 2:] - gray[:, 1:-1, :-2]
    return np.log(np.abs(edges).mean((1, 2)) + 1e-3)


def ranking(misfit: np.ndarray, rough: np.ndarray, smooth: float = 0.35) -> np.ndarray:
    """Candidates×crops each -> candidates, the best first. One of the crops that is drawn badly counts: somebody will be held like that."""
    units = lambda v: (v - v.mean()) / (v.std() + 1e-9)  # noqa: E731
    bad = np.sort(misfit, 1)[:, -min(2, misfit.shape[1])]
    return np.argsort(units(misfit.mean(1)) + 0.5 * units(bad) + smooth * units(rough.mean(1)), kind="stable")


def measure(generator: Path, data: FaceData, out: Path, candidates: int, crops: int, smooth: float = 0.35, seed: int = 0) -> None:
    """Writes OUT/candidates.npz (in order: `z`, and `looks`, the recognizer's mean over the crops) and OUT/page-*.png."""
    out.mkdir(parents=True, exist_ok=True)
    z = np.random.default_rng(seed).standard_normal((candidates, Z)).astype(np.float32).round(2)
    views = plain_views(data, spread(data.validation if len(data.validation) else data.training, crops))
    net, judges, points = session(generator), Judges(), views[2].numpy()
    misfit, rough, looks, shown = np.zeros((candidates, crops)), np.zeros((candidates, crops)), [], []
    for i, one in enumerate(torch.from_numpy(z)):
        drawn = generate(net, *views, one.expand(crops, -1))
        misfit[i], rough[i] = judges.point_errors(drawn, points)[1], roughness(drawn)
        looks.append(judges.recognize(drawn, points).mean(0))
        shown.append(drawn[spread(np.arange(crops), min(_SHOWN, crops))])
        if i % 100 == 99:
            print(f"{i + 1} of {candidates}", flush=True)
    order = ranking(misfit, rough, smooth)
    np.savez(out / "candidates.npz", z=z[order], looks=np.stack(looks)[order])
    per_page = _COLUMNS * _ROWS
    for page in range(0, candidates, per_page):
        sheet([shown[i] for i in order[page : page + per_page]], page).save(out / f"page-{page // per_page}.png")


def unlike(looks: np.ndarray, count: int) -> np.ndarray:
    """Which `count` stay when, one by one, whoever is most like all the others goes, and like one of them the more."""
    looks = looks / np.linalg.norm(looks, axis=1, keepdims=True)
    alike = looks @ looks.T
    np.fill_diagonal(alike, 0)
    kept = np.arange(len(looks))
    while len(kept) > count:
        among = alike[np.ix_(kept, kept)]
        kept = np.delete(kept, np.argmax(among.mean(1) + 0.15 * among.max(1)))
    return kept


def sheet(faces: list[np.ndarray], first: int) -> Image.Image:
    """Each candidate's pictures below its number."""
    height = len(faces[0]) * _TILE + 14
    page = Image.new("RGB", (_COLUMNS * _TILE, _ROWS * height))
    pen = ImageDraw.Draw(page)
    for k, crops in enumerate(faces):
        x, y = k % _COLUMNS * _TILE, k // _COLUMNS * height
        pen.text((x + 2, y + 1), str(first + k), fill=(255, 255, 0))
        for row, crop in enumerate(crops):
            page.paste(Image.fromarray(crop[4:124, 4:124]).resize((_TILE, _TILE), Image.Resampling.LANCZOS), (x, y + 14 + row * _TILE))
    return page


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(dest="command", required=True)
    first = commands.add_parser("measure")
    first.add_argument("generator", type=Path, help="its export, as served")
    first.add_argument("out", type=Path)
    first.add_argument("--data", type=Path, required=True)
    first.add_argument("--candidates", type=int, default=2400)
    first.add_argument("--crops", type=int, default=10)
    first.add_argument("--smooth", type=float, default=0.35, help="weight of smooth skin in the order; of the points' places it is 1.5")
    second = commands.add_parser("choose")
    second.add_argument("measured", type=Path)
    second.add_argument("out", type=Path)
    second.add_argument("--first", type=int, default=1200, help="as many of the ranking are taken")
    second.add_argument("--without", default="", help="numbers on the pages, with commas")
    second.add_argument("--count", type=int, default=260)
    a = parser.parse_args()
    if a.command == "measure":
        return measure(a.generator, FaceData(a.data), a.out, a.candidates, a.crops, a.smooth)
    refused = {int(n) for n in a.without.split(",") if n.strip()}
    measured = np.load(a.measured / "candidates.npz")
    accepted = np.array([n for n in range(min(a.first, len(measured["z"]))) if n not in refused])
    people = measured["z"][accepted[unlike(measured["looks"][accepted], a.count)]]
    a.out.write_text(json.dumps({"people": np.float64(people).round(2).tolist()}, separators=(",", ":")))
    print(f"{a.out}: {len(people)} people")


if __name__ == "__main__":
    main()
