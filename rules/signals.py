"""What customers signal, by the words of a whole turn: a second look at what the signal rules find and miss.

A table of log odds for each signal (signal_tables/, learned by benchmarks/signals.py from the corpus's open half) says
how much a turn sounds like it. Self-harm has none: what points to it must reach a person as it is.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache, lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from rules.grams import CHARACTERS
from rules.model import CATEGORIES, SELF_HARM, Group
from transcribe.log_odds import LogOdds, pieces, read_log_odds

SIGNALS = tuple(name for name, (group, *_) in CATEGORIES.items() if group is Group.SIGNAL and name != SELF_HARM)
TABLES = Path(__file__).with_name("signal_tables")

_PLAINLY = 4.0  # log odds above which three in five turns hold a signal that no rule saw, on files that were held out
_WORDS_SHOWN = 4


def sounds_like(category: str, text: str) -> bool:
    """Whether a normalised turn speaks rather for a signal than against it."""
    return bool(_odds(text[:CHARACTERS])[SIGNALS.index(category)] > 0)


def plain_signal(text: str) -> tuple[str, float] | None:
    """The signal that a normalised turn plainly sounds like, with its log odds; None where it does not."""
    odds = _odds(text[:CHARACTERS])
    best = int(odds.argmax())
    return (SIGNALS[best], float(odds[best])) if odds[best] > _PLAINLY else None


def telling_words(category: str, text: str) -> list[str]:
    """The pairs of characters that speak most for a signal, in their order, none inside another."""
    text, weights = text[:CHARACTERS], _table(category).weights
    pairs = {text[at : at + 2]: at for at in reversed(range(len(text) - 1)) if weights.get(text[at : at + 2], 0) > 0}
    shown: list[str] = []
    for pair in sorted(pairs, key=lambda pair: (-weights[pair], pair)):
        if len(shown) < _WORDS_SHOWN and all(abs(pairs[pair] - pairs[other]) > 1 for other in shown):
            shown.append(pair)
    return sorted(shown, key=pairs.__getitem__)


@lru_cache(maxsize=100)  # hints and many findings of one turn ask the same
def _odds(text: str) -> NDArray[np.float64]:
    """The log odds of each of SIGNALS."""
    rows, weights, biases = _tables()
    return np.asarray(weights[[rows[piece] for piece in pieces(text) if piece in rows]].sum(axis=0) + biases)


def _table(category: str) -> LogOdds:
    return read_log_odds(TABLES / f"{category}.npz")


@cache
def _tables() -> tuple[Mapping[str, int], NDArray[np.float64], NDArray[np.float64]]:
    """The row of each piece, what it weighs for each of SIGNALS (pieces, signals), and their biases (signals,).

    In doubles, in which weights stored as halves add up exactly: the pieces of a set come in any order.
    """
    tables = [_table(category) for category in SIGNALS]
    listed = sorted({piece for table in tables for piece in table.weights})
    weights = [[table.weights.get(piece, 0.0) for table in tables] for piece in listed]
    return (
        {piece: row for row, piece in enumerate(listed)},
        np.array(weights, dtype=np.float64),
        np.array([table.bias for table in tables], dtype=np.float64),
    )
