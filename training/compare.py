"""Compares exports of the generator: time, likeness to the first one, flicker.

    python -m training.compare FP32.onnx OTHER.onnx ... --data FACES [--crops 16]

Time is the median CPU time of runs on one thread, each export in turn, and a ratio to the first. PSNR is inside the mask against the first
(range [−1, 1]). Flicker: RMS change in the mask, of 255, from one frame to the next of a still picture whose landmarks jitter by
0.3 pixels, as they do when found anew on every frame.
"""
from __future__ import annotations

import argparse
import json
import time
from pathlib import Path

import numpy as np

from .data import FaceData
from .export import Feed, served_inputs
from .model import OUTPUT
from .onnx_models import session
from .sheets import spread

NOISE_PX = 0.3


def psnr(a: np.ndarray, b: np.ndarray, mask: np.ndarray) -> float:
    error = (((a - b) * mask) ** 2).sum() / (mask.sum() * a.shape[1])
    return float(10 * np.log10(4 / error))


def flicker(net, feed: Feed, frames: int = 6, seed: int = 0) -> float:
    """RMS of 255 from frame to frame; mask and context stay, the points move."""
    rng = np.random.default_rng(seed)
    faces = []
    for _ in range(frames):
        points = feed["landmarks"].copy()
        known = points > -999
        points[known] += (rng.standard_normal(points.shape) * NOISE_PX).astype(np.float32)[known]
        faces.append(net.run([OUTPUT], {**feed, "landmarks": points})[0])
    mask = feed["mask"]
    changes = [(((a - b) * 127.5 * mask) ** 2).sum() / (mask.sum() * 3) for a, b in zip(faces[:-1], faces[1:])]
    return float(np.sqrt(np.mean(changes)))


def timings(nets: list, feed: Feed, rounds: int = 15) -> list[float]:
    """Median CPU milliseconds each (a session of one thread works on the thread that calls it), taken in turn."""
    taken: list[list[float]] = [[] for _ in nets]
    for i in range(rounds + 2):
        for net, times in zip(nets, taken):
            began = time.thread_time()
            net.run([OUTPUT], feed)
            if i >= 2:
                times.append((time.thread_time() - began) * 1e3)
    return [float(np.median(t)) for t in taken]


def compare(paths: list[Path], data: FaceData, crops: int) -> list[dict]:
    nets = [session(p) for p in paths]
    feeds = list(served_inputs(data, spread(data.validation if len(data.validation) else data.training, crops), seed=1))
    first = [nets[0].run([OUTPUT], f)[0] for f in feeds]
    times = timings(nets, feeds[0])
    rows = []
    for path, net, ms in zip(paths, nets, times):
        row = {"file": path.name, "mebibytes": round(path.stat().st_size / 2**20, 1), "ms": round(ms, 1), "ratio": round(times[0] / ms, 2)}
        if net is not nets[0]:
            row["psnr"] = round(float(np.mean([psnr(a, net.run([OUTPUT], f)[0], f["mask"]) for a, f in zip(first, feeds)])), 1)
        row["flicker"] = round(float(np.mean([flicker(net, f) for f in feeds])), 2)
        rows.append(row)
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("exports", type=Path, nargs="+")
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--crops", type=int, default=16)
    a = parser.parse_args()
    for row in compare(a.exports, FaceData(a.data), a.crops):
        print(json.dumps(row))


if __name__ == "__main__":
    main()
