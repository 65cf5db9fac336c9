"""Learn a table of log odds (transcribe/log_odds.py): a logistic regression on which pieces stand in a text."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from scipy.sparse import csr_matrix
from sklearn.linear_model import LogisticRegression


class Recipe(NamedTuple):
    """A piece must occur in `rarest` texts; `kept` of them stay, by what they weigh and how often they are said;
    `strength` is the inverse of the regularisation.
    """

    rarest: int
    kept: int
    strength: float


def learn(texts: Sequence[set[str]], wanted: Sequence[bool], path: Path, recipe: Recipe) -> None:
    """Write what speaks for the `wanted` texts, given as their pieces; the same texts give the same bytes."""
    said = Counter(piece for found in texts for piece in found)
    listed = sorted(piece for piece, times in said.items() if times >= recipe.rarest)
    column = {piece: number for number, piece in enumerate(listed)}
    rows = [sorted(column[piece] for piece in found if piece in column) for found in texts]
    starts = np.cumsum([0, *map(len, rows)], dtype=np.int32)
    columns = np.concatenate([np.array(row, dtype=np.int32) for row in rows])
    present = csr_matrix((np.ones(len(columns)), columns, starts), shape=(len(rows), len(listed)))
    learned = LogisticRegression(C=recipe.strength, solver="liblinear", class_weight="balanced", random_state=0)
    learned.fit(present, wanted)
    weights = learned.coef_[0]
    tells = np.abs(weights) * np.sqrt([said[piece] for piece in listed])
    best = np.sort(np.argsort(-tells, kind="stable")[: recipe.kept])
    np.savez_compressed(
        path,
        pieces=np.array(listed)[best],
        weights=weights[best].astype(np.float16),
        bias=np.float32(learned.intercept_[0]),
    )
    print(f"{len(texts)} texts, {len(best)} pieces, {path.stat().st_size / 1024:.0f} KiB → {path}")
