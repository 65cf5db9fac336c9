"""The model of the second opinion: how suspicious a stretch of talk is, and of which category.

Linear scores over the character n-grams of the normalised stretch and, lighter, of the turns before and after: what is
said answers what was said. Where these leave it open, a net over what the words mean (rules/meaning.py) is asked too.
benchmarks/second_opinion.py trains it; docs/second-opinion.md has the figures.
"""

from __future__ import annotations

import functools
import hashlib
import io
import math
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rules import duties, signals
from rules.everyday import EVERYDAY
from rules.grams import CHARACTERS, Floats, grams, known_values
from rules.lookout import Span
from rules.meaning import Meaning, Vectors
from rules.model import CATEGORIES, SELF_HARM, Group
from rules.text import TURN_END, NormalText
from transcribe.model import Role

MODEL = Path(__file__).with_name("second_opinion.npz")
SUSPICIOUS = "suspicious"  # the head that says whether a turn of the agent is suspicious of anything
CONDUCT = tuple(name for name, (group, *_) in CATEGORIES.items() if group is Group.CONDUCT)
HEADS = (SUSPICIOUS, *CONDUCT, SELF_HARM)
GATES = {
    Role.AGENT: tuple(map(HEADS.index, CONDUCT)),
    Role.CUSTOMER: (HEADS.index(SELF_HARM),),
}
"""Whose turns are looked at, and the heads of which the highest is asked."""
ASKED = {**GATES, Role.UNKNOWN: (*GATES[Role.AGENT], *GATES[Role.CUSTOMER])}
"""The same with those of whom nobody knows who they are: they may be either."""
CONDUCT_HEADS = [*GATES[Role.AGENT]]
ASKED_FROM = -1.0  # score by n-grams from which the net is asked: most talk is plainly innocent
LONGEST_GRAM = 4
LONGEST_NEAR = 2  # of the turns around
NEAR = TURN_END  # stands before an n-gram of the turns around: no turn has a line feed inside
NEAR_LENGTH = 0.4  # what the turns around count beside the turn itself; alike from 0.3 to 0.5 in cross-validation
STEP = 10  # characters from one stretch of a turn to the next

_TABLES = (
    EVERYDAY,
    *(signals.TABLES / f"{category}.npz" for category in signals.SIGNALS),
    *(duties.TABLES / f"{duty}.npz" for duty in duties.DUTIES),
)
_MEANT = 0.28  # what the net counts: two fifths of the suspicion, which is seven tenths of a category's score
_MEANT_KIND = 0.15  # and its log-odds of the category
_STRETCH = 20  # characters
_WHOLE = 25  # characters up to which a turn is looked at as a whole alone
_LEVELS = 127  # of the whole numbers of one byte in which vectors are stored


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Model:
    """A linear model over n-grams: `weights` is (heads, n-grams), `biases` and `thresholds` (heads,); and a net.

    `index` gives each n-gram its column, `idf` its rarity; `digest` names exactly this model and the tables of
    rules/duties.py, rules/everyday.py and rules/signals.py. The categories of conduct share one threshold, that of
    SUSPICIOUS is out of reach.
    """

    index: Mapping[str, int]
    idf: Floats
    weights: Floats
    biases: Floats
    thresholds: Floats
    meaning: Meaning
    digest: str

    def scores(self, columns: NDArray[np.intp], values: Floats) -> Floats:
        """What each of HEADS says of a text with these features."""
        return self.weights[:, columns] @ values + self.biases


def leaves_open(scores: Floats) -> NDArray[np.bool_]:
    """Whether n-grams (…, heads) say neither guilty nor innocent of an agent's words, so that the net is asked."""
    return np.asarray(scores[..., CONDUCT_HEADS].max(axis=-1) >= ASKED_FROM)


def with_meaning(scores: Floats, meant: Floats) -> Floats:
    """Scores of an agent's words by n-grams (…, heads) with what the net says (…, outputs) weighed in: how suspicious
    they are raises or lowers all categories alike, of what they are suspicious lowers the less likely.
    """
    weighed, suspicion, kinds = scores.copy(), meant[..., :1], meant[..., 1:]
    weighed[..., CONDUCT_HEADS] += _MEANT * (suspicion - scores[..., [HEADS.index(SUSPICIOUS)]])
    weighed[..., CONDUCT_HEADS] += _MEANT_KIND * (kinds - kinds.max(axis=-1, keepdims=True))
    return weighed


def near_grams(near: Sequence[str]) -> Iterator[str]:
    """The n-grams of the turns around, marked as such."""
    return (NEAR + gram for text in near for gram in grams(text, LONGEST_NEAR))


def around(normal: NormalText, turn: int) -> list[str]:
    """The words of the turn before and the turn after one, as far as there are any."""
    return [normal.turn_text(n) for n in (turn - 1, turn + 1) if 0 <= n < len(normal.turns)]


def stretches(text: str) -> list[Span]:
    """The stretches of a normalised turn that are looked at: the whole of it, and parts that overlap by half."""
    size = min(len(text), CHARACTERS)
    if size <= _WHOLE:
        return [(0, size)]
    starts = [*range(0, size - _STRETCH, STEP), size - _STRETCH]
    return [(0, size), *((start, start + _STRETCH) for start in starts)]


def features(
    text: str, near: Sequence[str], index: Mapping[str, int], idf: Floats, *, strange: bool = True
) -> tuple[NDArray[np.intp], Floats]:
    """Columns and values of a normalised turn between the turns `near` it: sublinear counts by rarity.

    The turn as a whole has length one, n-grams that the model never met included if `strange`: what it does not know it
    does not suspect. This halved the hints on strangers' everyday talk (4 to 2 of 61 turns). The turns around have
    length NEAR_LENGTH. A turn without a known word has no features, whatever is said around it.
    """
    counts = Counter(grams(text, LONGEST_GRAM))
    columns, values = known_values(counts, index, idf)
    if len(columns) == 0:
        return columns, values
    columns_near, values_near = known_values(Counter(near_grams(near)), index, idf)
    unknown = float(idf.max()) ** 2 * (len(counts) - len(columns)) if strange else 0.0
    values /= np.float32(math.sqrt(float(values @ values) + unknown))
    values_near *= np.float32(NEAR_LENGTH / (math.sqrt(float(values_near @ values_near)) or 1.0))
    return np.concatenate([columns, columns_near]), np.concatenate([values, values_near])


def write_model(model: Model, path: Path) -> None:
    """Store a model as plain arrays; the same model gives the same bytes."""
    with path.open("wb") as file:
        np.savez_compressed(
            file,
            grams=np.array(list(model.index)),
            idf=model.idf,
            heads=np.array(HEADS),
            weights=model.weights.astype(np.float16),
            biases=model.biases,
            thresholds=model.thresholds,
            **_stored_meaning(model.meaning),
        )


@functools.cache
def read_model(path: Path = MODEL) -> Model:
    """The model of a file; ValueError where it was made for other categories. Nothing in it is ever executed."""
    stored = path.read_bytes()
    with np.load(io.BytesIO(stored), allow_pickle=False) as arrays:
        if tuple(arrays["heads"]) != HEADS:
            raise ValueError(f"{path}：第二意见模型的类别与当前版本不一致；请运行 make second-opinion 重新训练")
        return Model(
            index={str(gram): column for column, gram in enumerate(arrays["grams"])},
            idf=arrays["idf"],
            weights=arrays["weights"].astype(np.float32),
            biases=arrays["biases"],
            thresholds=arrays["thresholds"],
            meaning=_read_meaning(arrays),
            digest=hashlib.sha256(stored + b"".join(map(Path.read_bytes, _TABLES))).hexdigest(),
        )


def _stored_meaning(meaning: Meaning) -> dict[str, Any]:
    """Vectors in whole steps of one byte, the net in halves."""
    tables = {"words": meaning.words, "pairs": meaning.grams}
    steps = {name: np.abs(vectors.rows).max(axis=0) / _LEVELS for name, vectors in tables.items()}
    return {
        **{name: np.array(list(vectors.index)) for name, vectors in tables.items()},
        **{f"{name}_rarity": vectors.rarity for name, vectors in tables.items()},
        **{f"{name}_rows": np.rint(v.rows / steps[name]).astype(np.int8) for name, v in tables.items()},
        **{f"{name}_steps": step.astype(np.float32) for name, step in steps.items()},
        "hidden": meaning.hidden.astype(np.float16),
        "hidden_bias": meaning.hidden_bias,
        "out": meaning.out,
        "out_bias": meaning.bias,
    }


def _read_meaning(arrays: Mapping[str, NDArray[Any]]) -> Meaning:
    words, pairs = (
        Vectors(
            index={str(token): row for row, token in enumerate(arrays[name])},
            rows=arrays[f"{name}_rows"] * arrays[f"{name}_steps"],
            rarity=arrays[f"{name}_rarity"],
        )
        for name in ("words", "pairs")
    )
    return Meaning(
        words=words,
        grams=pairs,
        hidden=arrays["hidden"].astype(np.float32),
        hidden_bias=arrays["hidden_bias"],
        out=arrays["out"],
        bias=arrays["out_bias"],
    )
