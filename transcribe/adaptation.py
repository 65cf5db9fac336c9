"""Whisper base put right for telephone calls about debts: small changes to its layers, kept beside this file.

Each change is a product of two thin matrices of whole numbers (LoRA), so that every machine makes the same weights to
the last bit. benchmarks/adaptation.py trains them; docs/adaptation.md says on what, and what it gained.
"""

from __future__ import annotations

import mmap
import struct
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

ADAPTATION = Path(__file__).with_name("adaptation.npz")

_FLOAT16 = 4  # CTranslate2's number for the type


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What is added to `rows` of a weight: `scale` times `left` (rows, rank) @ `right` (rank, columns)."""

    rows: slice
    left: NDArray[np.int8]
    right: NDArray[np.int8]
    scale: np.float32

    def added(self) -> NDArray[np.float32]:
        """The change in full."""
        return (self.left.astype(np.int32) @ self.right.astype(np.int32)).astype(np.float32) * self.scale


def adapted_sha256(path: Path = ADAPTATION) -> str:
    """SHA-256 of base's model.bin with all changes made."""
    with np.load(path, allow_pickle=False) as stored:
        return str(stored["sha256"])


def read_changes(path: Path = ADAPTATION) -> dict[str, list[Change]]:
    """The stored changes by name of the weight. Nothing in the file is ever executed."""
    changes: dict[str, list[Change]] = {}
    with np.load(path, allow_pickle=False) as stored:
        for key in (name.removesuffix(".left") for name in stored.files if name.endswith(".left")):
            weight, _, first = key.partition("@")
            left = stored[f"{key}.left"]
            change = Change(
                rows=slice(int(first), int(first) + len(left)),
                left=left,
                right=stored[f"{key}.right"],
                scale=np.float32(stored[f"{key}.scale"]),
            )
            changes.setdefault(weight, []).append(change)
    return changes


def adapt(model: Path, changes: Mapping[str, Sequence[Change]]) -> None:
    """Make the changes in a CTranslate2 model.bin of half precision; KeyError where a weight isn't in it."""
    with model.open("r+b") as file, mmap.mmap(file.fileno(), 0) as stored:
        places = {name: (shape, at) for name, shape, kind, at in weights_in(stored) if kind == _FLOAT16}
        for name, made in changes.items():
            shape, at = places[name]
            weight = np.frombuffer(stored, np.float16, count=int(np.prod(shape)), offset=at).reshape(shape).copy()
            for change in made:
                weight[change.rows] = (weight[change.rows].astype(np.float32) + change.added()).astype(np.float16)
            stored[at : at + weight.nbytes] = weight.tobytes()


def weights_in(stored: mmap.mmap | bytes) -> Iterator[tuple[str, tuple[int, ...], int, int]]:
    """Name, shape, CTranslate2's number for the type, and place of every weight in a model.bin of format 6."""
    at = 4
    at += 2 + struct.unpack_from("<H", stored, at)[0] + 4
    (count,) = struct.unpack_from("<I", stored, at)
    at += 4
    for _ in range(count):
        (length,) = struct.unpack_from("<H", stored, at)
        name = stored[at + 2 : at + 1 + length].decode()  # less the zero byte at its end
        rank = stored[at + 2 + length]
        at += 3 + length
        *shape, kind, size = struct.unpack_from(f"<{rank}IBI", stored, at)
        at += 4 * rank + 5
        yield name, tuple(shape), kind, at
        at += size
