"""Tables of log odds over single characters and pairs: how much words speak for one thing and not for another.

The tables are plain arrays in an npz, learned by benchmarks/ from the corpus's open half.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Set
from dataclasses import dataclass
from functools import cache
from itertools import repeat
from operator import add
from pathlib import Path

import numpy as np

_BETWEEN = re.compile(r"[^\u4e00-\u9fff0-9]+")


def pieces(text: str) -> set[str]:
    """The single characters and the pairs of neighbours, marks and Latin letters left out."""
    found: set[str] = set()
    for part in _BETWEEN.split(text):
        found.update(part)
        found.update(map(add, part, part[1:]))
    return found


@dataclass(frozen=True, slots=True)
class LogOdds:
    """What each piece weighs, and what is to be expected before a word is said."""

    weights: Mapping[str, float]
    bias: float

    def of(self, text: str) -> float:
        """Log odds of words in simplified characters, each piece counted once; too sure of long ones."""
        return self.of_pieces(pieces(text))

    def of_pieces(self, found: Set[str]) -> float:
        """The same of words given as their pieces."""
        return self.bias + sum(map(self.weights.get, found, repeat(0.0)))


@cache
def read_log_odds(path: Path) -> LogOdds:
    """The table of a file. Nothing in it is ever executed."""
    with np.load(path, allow_pickle=False) as stored:
        weights = stored["weights"].astype(float).tolist()
        return LogOdds(dict(zip(stored["pieces"].tolist(), weights, strict=True)), float(stored["bias"]))
