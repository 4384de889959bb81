"""One run's settings: a TOML file, every key known, defaults here."""
from __future__ import annotations

import tomllib
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path


@dataclass
class Augmentation:
    rotation_deg: float = 9.0
    scale: float = 0.08
    shift_px: float = 4.0
    landmark_noise_px: float = 0.4
    no_pupils: float = 0.15
    """Share of the pictures whose pupils are withheld."""
    wide_mask: float = 0.5
    """Share of the masks that are dilated by 1–5 pixels, as retargeting widens them when served."""
    second_rotation_deg: float = 3.0
    second_scale: float = 0.03
    second_shift_px: float = 3.0
    """How far the second view of a pair is from the first."""
    retarget: float = 0.0
    """Share of the pictures that become somebody else whose points are moved towards another shape, as they are when served."""
    tone: float = 0.0
    """Share of the pictures that are made darker or lighter by a curve: collections of faces hold few dark ones."""
    haze: float = 0.0
    """Share of the other pictures that are made pale, as by haze, a dirty lens or weak light."""
    still: float = 0.0
    """Share of the batches of two views in which only the landmarks' noise differs."""


@dataclass
class Weights:
    adversarial: float = 1.0
    pixels: float = 3.0
    features: float = 3.0
    views: float = 2.0
    still: float = 0.0
    rim: float = 0.0
    identity: float = 8.0
    away: float = 0.0
    apart: float = 0.0
    landmarks: float = 0.0
    eyes: float = 0.0
    """Of heads that look at the eyes alone; 0: there are none. Eyes and mouth take turns where both are looked at."""
    eyes_features: float = 0.0
    mouth: float = 0.0
    mouth_features: float = 0.0


@dataclass
class RunConfig:
    data: str = ""
    """Folder made by training.prepare."""
    start: str = ""
    """fp16 checkpoint to go on from; empty: from nothing."""
    seed: int = 0
    images: int = 300_000
    batch: int = 24
    own_share: float = 0.5
    """Share of a batch that rebuilds its own face; the rest becomes somebody else."""
    generator_rate: float = 2e-4
    discriminator_rate: float = 2e-4
    closeups_rate: float = 1.0
    """Times `discriminator_rate`, for the heads that look at one place: they see a tenth of the picture, and every other batch."""
    judges_first: int = 0
    """Images from which the discriminator alone learns, before the generator does: heads that have kept up with a generator for long do not see all it does wrong."""
    last_rate: float = 0.1
    """Learning rates fall to this part of the first along half a cosine."""
    average: float = 0.999
    identity_goal: float = 0.7
    """Cosine to the wanted embedding beyond which nothing more is asked."""
    quantize_from: int = -1
    """Images after which the layers served in int8 train with rounding; −1: never."""
    threads: int = 2
    save_minutes: float = 5.0
    sources: dict[str, float] = field(default_factory=dict)
    """Share of the samples per source; sources not named share the rest by their size."""
    dark_share: float = 0.0
    """Share of the samples that show dark skin, where there are fewer."""
    cast: str = ""
    """JSON of the people who are served (training.cast choose); empty: nobody is drawn from it."""
    cast_share: float = 0.0
    """Share of those a picture becomes that are of the cast, each with a little noise; the others are half the data set's people, half drawn from N(0, I)."""
    augmentation: Augmentation = field(default_factory=Augmentation)
    weights: Weights = field(default_factory=Weights)


def load_config(path: Path) -> RunConfig:
    """Raises ValueError that names the key for a key that is unknown or of the wrong type."""
    with open(path, "rb") as file:
        return _build(RunConfig, tomllib.load(file), "")


def _build(kind: type, values: dict, where: str):
    known = {f.name: f for f in fields(kind)}
    nested = {"augmentation": Augmentation, "weights": Weights}
    for key, value in values.items():
        if key not in known:
            raise ValueError(f"unknown key '{where}{key}': known are {', '.join(sorted(known))}")
        default = asdict(kind())[key]
        if key in nested:
            values = {**values, key: _build(nested[key], value, f"{key}.")}
        elif not isinstance(value, type(default)) and not (isinstance(default, float) and isinstance(value, int)):
            raise ValueError(f"'{where}{key}' must be {type(default).__name__}, not {value!r}")
    return kind(**values)
