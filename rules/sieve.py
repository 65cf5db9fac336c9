"""Most words can be seen to be harmless without the exact score of the second opinion's model: a bound is enough."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rules.grams import CHARACTERS
from rules.lookout import Span
from rules.suspicion import (
    ASKED,
    ASKED_FROM,
    CONDUCT_HEADS,
    HEADS,
    LONGEST_GRAM,
    LONGEST_NEAR,
    NEAR,
    NEAR_LENGTH,
    Model,
    around,
    stretches,
)
from rules.text import TURN_END, NormalText
from transcribe.model import Role

_ROUNDING = 1e-3  # by which sums in another order may differ; a hundred times what they do


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Table:
    """N-grams as numbers in rising order, with their rarity and (n-grams, heads) weights."""

    keys: NDArray[np.int64]
    idf: NDArray[np.float64]
    weights: NDArray[np.float64]


class Sieve:
    """A bound of the score, for all stretches of some turns at once.

    It forgets the n-grams that the model never met, which only lower a score that is above the bias. One stretch
    in ten is left for the exact score, which takes a hundred times as long.
    """

    def __init__(self, model: Model, *, leeway: float) -> None:
        """`leeway`: how far below its threshold a score still counts."""
        chars = sorted({char for gram in model.index for char in gram.removeprefix(NEAR)})
        self._bits = len(chars).bit_length()
        self._ids = np.zeros(sys.maxunicode + 1, dtype=np.int64)
        self._ids[[ord(char) for char in chars]] = np.arange(1, len(chars) + 1)
        self._asked = {role: np.isin(np.arange(len(HEADS)), heads) for role, heads in ASKED.items()}
        asked_from = np.where(np.isin(np.arange(len(HEADS)), CONDUCT_HEADS), ASKED_FROM, np.inf)
        self._floors = np.minimum(model.thresholds - leeway, asked_from) - model.biases - _ROUNDING
        self._own = self._table(model, [gram for gram in model.index if not gram.startswith(NEAR)])
        self._near = self._table(model, [gram for gram in model.index if gram.startswith(NEAR)])

    def _table(self, model: Model, listed: Sequence[str]) -> _Table:
        keys = np.array([self._key(gram.removeprefix(NEAR)) for gram in listed], dtype=np.int64)
        columns = np.array([model.index[gram] for gram in listed], dtype=np.intp)
        order = np.argsort(keys)
        columns = columns[order]
        weights = model.weights.T[columns].astype(np.float64)
        return _Table(keys=keys[order], idf=model.idf[columns].astype(np.float64), weights=weights)

    def _key(self, gram: str) -> int:
        key = 0
        for char in gram:
            key = key << self._bits | int(self._ids[ord(char)])
        return key

    def caught(self, normal: NormalText, turns: Sequence[int], roles: Sequence[Role]) -> dict[int, list[Span]]:
        """Of each of `turns` the stretches of which a score that its role is asked for may count."""
        said = [normal.turn_text(turn) for turn in turns]
        parts = [(n, part) for n, text in enumerate(said) for part in stretches(text)]
        near = [TURN_END.join([text[:CHARACTERS] for text in around(normal, turn)]) for turn in turns]
        bounds = np.maximum(self._weighed(self._own, [said[n][slice(*part)] for n, part in parts], LONGEST_GRAM), 0)
        of_turn = [n for n, _ in parts]
        bounds += NEAR_LENGTH * self._weighed(self._near, near, LONGEST_NEAR)[of_turn]
        asked = np.stack([self._asked[roles[turn]] for turn in turns])[of_turn]
        caught: dict[int, list[Span]] = {}
        for at in np.flatnonzero((asked & (bounds > self._floors)).any(axis=1)).tolist():
            n, part = parts[at]
            caught.setdefault(turns[n], []).append(part)
        return caught

    def _weighed(self, table: _Table, texts: Sequence[str], longest: int) -> NDArray[np.float64]:
        """(texts, heads): what the known n-grams of each text weigh, when they have length one together."""
        columns, places, counts = self._known(table, texts, longest)
        values = (1 + np.log(counts)) * table.idf[columns]
        weighed = table.weights[columns] * values[:, np.newaxis]
        sums = [np.bincount(places, of_head, len(texts)) for of_head in weighed.T]
        lengths = np.sqrt(np.bincount(places, values * values, len(texts)))
        return np.stack(sums, axis=1) / np.maximum(lengths, 1)[:, np.newaxis]

    def _known(
        self, table: _Table, texts: Sequence[str], longest: int
    ) -> tuple[NDArray[np.intp], NDArray[np.int64], NDArray[np.intp]]:
        """(column, place in `texts`, count) of every n-gram of each text that the model has met."""
        text = TURN_END.join([*texts, ""])
        ids = self._ids[np.frombuffer(text.encode("utf-32-le", "surrogatepass"), dtype=np.uint32)]
        places = np.repeat(np.arange(len(texts)), [len(text) + 1 for text in texts])
        keys, met, pairs = ids, ids > 0, []
        for size in range(1, longest + 1):
            at = np.flatnonzero(met)
            pairs.append(keys[at] * len(texts) + places[at])
            keys, met = keys[:-1] << self._bits | ids[size:], met[:-1] & (ids[size:] > 0)
        found, counts = np.unique(np.concatenate(pairs), return_counts=True)
        sought, place = np.divmod(found, len(texts))  # in rising order, in which a search is twice as fast
        columns = np.minimum(np.searchsorted(table.keys, sought), len(table.keys) - 1)
        known = table.keys[columns] == sought
        return columns[known], place[known], counts[known]
