"""What the words of a turn mean together: how suspicious they look, and of what, to a small net over vectors of words.

The n-grams of rules/suspicion.py know wordings. Words and character pairs that are said in the same company have
vectors that are alike, learned from the corpus itself, so what the net learned of one wording it knows of others.
benchmarks/meaning.py learns the vectors and trains the net; docs/second-opinion.md says what it adds.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rules.grams import Floats, grams, known_values

LONGEST = 2  # characters of the n-grams that have a vector


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Vectors:
    """A vector for each of some tokens, one row each, and the token's rarity: how much it counts."""

    index: Mapping[str, int]
    rows: Floats  # (tokens, dimensions)
    rarity: Floats  # (tokens,)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Meaning:
    """A net of one hidden layer over the vectors of a text's words and of its n-grams.

    `hidden` is (features, units), `hidden_bias` (units,), `out` (units, outputs), `bias` (outputs,).
    """

    words: Vectors
    grams: Vectors
    hidden: Floats
    hidden_bias: Floats
    out: Floats
    bias: Floats

    def of(self, text: str, words: Sequence[str], near: Sequence[str]) -> Floats:
        """What the net says of normalised words of an agent between the turns `near` them, (outputs,): how suspicious
        they are, on the n-grams' scale, and for each category of conduct the log-odds that a suspicion is of it.
        """
        return self.outputs(features(text, words, near, self.words, self.grams))

    def outputs(self, table: Floats) -> Floats:
        """What the net says of texts with these features, (…, features)."""
        return np.asarray(np.maximum(table @ self.hidden + self.hidden_bias, 0) @ self.out + self.bias, np.float32)


def features(
    text: str, words: Sequence[str], near: Sequence[str], word_vectors: Vectors, gram_vectors: Vectors
) -> Floats:
    """(features,): of the words the mean vector by rarity and the highest of each dimension, of the n-grams their sum,
    and that of the turns around.
    """
    said = [word_vectors.index[word] for word in words if word in word_vectors.index]
    rarity = word_vectors.rarity[said]
    weighed = word_vectors.rows[said] * rarity[:, np.newaxis]
    mean = weighed.sum(axis=0) / max(float(rarity.sum()), 1e-6)
    highest = weighed.max(axis=0) if said else mean
    summed = (_summed(texts, gram_vectors) for texts in ([text], near))
    return np.concatenate([mean, highest, *summed])


def _summed(texts: Sequence[str], vectors: Vectors) -> Floats:
    columns, values = gram_values(texts, vectors.index, vectors.rarity)
    return values @ vectors.rows[columns]


def gram_values(texts: Sequence[str], index: Mapping[str, int], rarity: Floats) -> tuple[NDArray[np.intp], Floats]:
    """Columns and values of the known n-grams of some texts: sublinear counts by rarity, of length one together."""
    counted = Counter(gram for text in texts for gram in grams(text, LONGEST))
    columns, values = known_values(counted, index, rarity)
    return columns, values / np.float32(math.sqrt(float(values @ values)) or 1.0)
