"""The middle of two checkpoints of which one goes on from the other: often nearer to what both are good at.

    python -m training.average BEFORE.pt AFTER.pt OUT.pt [--share 0.5]

Only the generator is averaged; the discriminator and the pictures seen are those of AFTER.
"""
from __future__ import annotations

import argparse
from pathlib import Path

import torch

from .checkpoint import save_atomically


def averaged(before: dict, after: dict, share: float = 0.5) -> dict:
    """Contents of two fp16 checkpoints -> those of one, `share` of the way. Raises ValueError when their generators differ in shape."""
    a, b = before["generator_average"], after["generator_average"]
    if {k: v.shape for k, v in a.items()} != {k: v.shape for k, v in b.items()}:
        raise ValueError("the checkpoints hold generators of different shapes: only those of one network have a middle")
    mixed = {k: torch.lerp(a[k].float(), v.float(), share).to(v.dtype) if v.is_floating_point() else v for k, v in b.items()}
    return after | {"generator_average": mixed}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("before", type=Path)
    parser.add_argument("after", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--share", type=float, default=0.5)
    a = parser.parse_args()
    before, after = (torch.load(path, map_location="cpu", weights_only=True) for path in (a.before, a.after))
    save_atomically(averaged(before, after, a.share), a.out)


if __name__ == "__main__":
    main()
