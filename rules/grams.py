"""Character n-grams of normalised words, and what they count: the features of the second opinion's models."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]

CHARACTERS = 1_000  # of a turn that are looked at; nobody says more in one breath


def grams(text: str, longest: int) -> Iterator[str]:
    """The character n-grams of normalised words, one to `longest` characters long."""
    text = text[:CHARACTERS]
    for size in range(1, longest + 1):
        for at in range(len(text) - size + 1):
            yield text[at : at + size]


def known_values(
    counts: Mapping[str, int], index: Mapping[str, int], rarity: Floats
) -> tuple[NDArray[np.intp], Floats]:
    """Columns and values of the n-grams that `index` knows: sublinear counts by rarity."""
    known = {index[gram]: count for gram, count in counts.items() if gram in index}
    columns = np.fromiter(known.keys(), dtype=np.intp, count=len(known))
    return columns, (1 + np.log(np.fromiter(known.values(), dtype=np.float32, count=len(known)))) * rarity[columns]
