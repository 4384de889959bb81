"""Brings face pictures into the form the trainer reads: a folder with `faces.npy`, `labels.npz` and `identities.npz`.

    python -m training.prepare pictures FOLDER OUT [--sharp]    any folder of pictures: detect, landmarks, crop
    python -m training.prepare crops faces.tar OUT --landmarks runtime.npz --reference landmarks.npz
                                                        crops that are aligned and labelled already
    python -m training.prepare identities OUT           recognizer's embeddings and their principal components

`faces.npy` N×160×160×3 uint8: the canonical field with 16 pixels around it (of sharp crops N×320×320×3: twice as fine). `labels.npz`: `landmarks` N×68×2 and `pupils` N×2×2
(NaN where unknown) in pixels of the stored crop, `source` N, `val` N bool, `side` N (of the field, in source pixels).
"""
from __future__ import annotations

import argparse
import io
import sys
import tarfile
from pathlib import Path

import cv2
import numpy as np
from PIL import Image, ImageOps

from .geometry import MARGIN, STORED, apply, canonical_to_picture, inter_ocular, invert
from .identity import fit_identities
from .onnx_models import FaceDetector, LandmarkModel, Recognizer

MAX_DISAGREEMENT = 0.12
"""Of the inter-ocular distance: labels further apart than this are not used."""
MIN_SIDE = 80
"""Canonical fields of fewer source pixels are too soft to teach."""
MIN_SHARP_SIDE = 200
VALIDATION_SHARE = 40


def read_picture(path: Path) -> np.ndarray | None:
    """RGB uint8, upright by its EXIF orientation; None when it is not a picture."""
    try:
        with Image.open(path) as image:
            return np.asarray(ImageOps.exif_transpose(image).convert("RGB"))
    except (OSError, ValueError):
        return None


def crop_face(picture: np.ndarray, landmarks: np.ndarray, fine: int = 1) -> tuple[np.ndarray, np.ndarray, float]:
    """`fine`: 2 for crops of twice the resolution -> stored crop, landmarks in its pixels, side of the canonical field in picture pixels."""
    matrix = canonical_to_picture(landmarks)
    inverse = fine * invert(matrix)
    inverse[:, 2] += (fine - 1) / 2 + fine * MARGIN
    side = float(np.hypot(matrix[0, 0], matrix[1, 0]) * 128)
    source, shrink = picture, 1.0
    while side * shrink > 2 * 128 * fine:  # halve first, so that bilinear sampling does not alias
        source, shrink = cv2.resize(source, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA), shrink / 2
    to_small = np.array([[shrink, 0, (shrink - 1) / 2], [0, shrink, (shrink - 1) / 2], [0, 0, 1]])
    sample = inverse @ np.linalg.inv(to_small)
    crop = cv2.warpAffine(source, sample, (fine * STORED, fine * STORED), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT)
    return crop, apply(inverse, landmarks), side


def prepare_pictures(folder: Path, out: Path, least_side: float = MIN_SIDE, fine: int = 1) -> int:
    """Every face of every picture below `folder`, in order of name. Raises ValueError when there is none."""
    detect, locate = FaceDetector(), LandmarkModel().locate
    crops, points, sides, sources = [], [], [], []
    for path in sorted(p for p in folder.rglob("*") if p.is_file()):
        picture = read_picture(path)
        if picture is None:
            continue
        for box in detect(picture):
            landmarks, disagreement = locate(picture, box)
            if disagreement > MAX_DISAGREEMENT:
                continue
            crop, local, side = crop_face(picture, landmarks, fine)
            if side < least_side:
                continue
            crops.append(crop), points.append(local), sides.append(side), sources.append(path.name)
    if not crops:
        raise ValueError(f"no usable face in {folder}: give pictures in which a face is at least {least_side:.0f} pixels wide")
    n = len(crops)
    out.mkdir(parents=True, exist_ok=True)
    np.save(out / "faces.npy", np.stack(crops))
    val = np.zeros(n, bool)
    val[VALIDATION_SHARE - 1 :: VALIDATION_SHARE] = True
    np.savez(
        out / "labels.npz", landmarks=np.stack(points).astype(np.float32), pupils=np.full((n, 2, 2), np.nan, np.float32),
        source=np.array(["pictures"] * n), val=val, side=np.array(sides, np.float32), name=np.array(sources),
    )
    return n


def prepare_crops(archive: Path, out: Path, landmarks: Path, reference: Path | None) -> int:
    """Crops `NNNNN.webp` of a tar, with labels of the runtime's model and, to drop the bad ones, of a second one."""
    labels = np.load(landmarks)
    other = np.load(reference) if reference else labels
    n = len(labels["landmarks"])
    out.mkdir(parents=True, exist_ok=True)
    faces = None
    with tarfile.open(archive) as tar:
        for member in tar:
            crop = np.asarray(Image.open(io.BytesIO(tar.extractfile(member).read())).convert("RGB"))
            if faces is None:
                faces = np.lib.format.open_memmap(out / "faces.npy", "w+", np.uint8, (n, *crop.shape))
            faces[int(Path(member.name).stem)] = crop
    points = labels["landmarks"].astype(np.float32)
    second = other["landmarks"].astype(np.float32)
    apart = np.linalg.norm(points - second, axis=2).mean(1) / inter_ocular(second)
    val = other["val"] if "val" in other else np.arange(n) % VALIDATION_SHARE == VALIDATION_SHARE - 1
    np.savez(
        out / "labels.npz", landmarks=points, pupils=labels["pupils"].astype(np.float32), val=val,
        source=other["source"] if "source" in other else np.array(["crops"] * n),
        side=other["scale"] if "scale" in other else np.full(n, STORED - 2 * MARGIN, np.float32),
        good=apart < MAX_DISAGREEMENT, reference=second,
    )
    return n


def prepare_identities(out: Path, components: Path | None, threads: int) -> None:
    """Embeds every crop; without given components fits them on the training part."""
    faces, labels = np.load(out / "faces.npy", mmap_mode="r"), np.load(out / "labels.npz")
    embed = Recognizer(threads=threads)
    vectors = np.zeros((len(faces), 512), np.float32)
    for start in range(0, len(faces), 256):
        vectors[start : start + 256] = embed(faces[start : start + 256], labels["landmarks"][start : start + 256])
        print(f"\r{start}/{len(faces)}", end="", file=sys.stderr, flush=True)
    basis = dict(np.load(components)) if components else fit_identities(vectors[~labels["val"]])
    np.savez(out / "identities.npz", embeddings=vectors, **{k: basis[k] for k in ("mean", "components", "sd")})


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(dest="command", required=True)
    pictures = commands.add_parser("pictures")
    pictures.add_argument("folder", type=Path)
    pictures.add_argument("out", type=Path)
    pictures.add_argument("--least-side", type=float)
    pictures.add_argument("--sharp", action="store_true", help="crops of 320², for training.sharpen")
    crops = commands.add_parser("crops")
    crops.add_argument("archive", type=Path)
    crops.add_argument("out", type=Path)
    crops.add_argument("--landmarks", type=Path, required=True)
    crops.add_argument("--reference", type=Path)
    identities = commands.add_parser("identities")
    identities.add_argument("out", type=Path)
    identities.add_argument("--components", type=Path, help="use these principal components instead of fitting them")
    identities.add_argument("--threads", type=int, default=1)
    a = parser.parse_args()
    if a.command == "pictures":
        fine = 2 if a.sharp else 1
        print(prepare_pictures(a.folder, a.out, a.least_side or (MIN_SHARP_SIDE if a.sharp else MIN_SIDE), fine), "faces")
    elif a.command == "crops":
        print(prepare_crops(a.archive, a.out, a.landmarks, a.reference), "faces")
    else:
        prepare_identities(a.out, a.components, a.threads)


if __name__ == "__main__":
    main()
