"""Who talks like that: how much each one or two characters speak for the agent of a collection call.

A table of log odds (speakers.npz, plain arrays), learned by benchmarks/speakers.py from the corpus's open half. Phrases
that hardly anybody else says are in roles.py; this tells by everything else, where those were not said or misheard.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from itertools import pairwise
from pathlib import Path

import numpy as np

SPEAKERS = Path(__file__).with_name("speakers.npz")

_BETWEEN = re.compile(r"[^\u4e00-\u9fff0-9]+")


def pieces(text: str) -> set[str]:
    """The single characters and the pairs of neighbours, marks and Latin letters left out."""
    found: set[str] = set()
    for part in _BETWEEN.split(text):
        found.update(part)
        found.update(first + second for first, second in pairwise(part))
    return found


def manner(text: str) -> float:
    """Log odds that words in simplified characters are an agent's, each piece counted once; too sure of long ones."""
    weights, bias = _table()
    return bias + sum(weights.get(piece, 0.0) for piece in pieces(text))


@cache
def _table() -> tuple[Mapping[str, float], float]:
    with np.load(SPEAKERS, allow_pickle=False) as stored:
        weights = stored["weights"].astype(float).tolist()
        return dict(zip(stored["pieces"].tolist(), weights, strict=True)), float(stored["bias"])
