"""Learn what words mean together (rules/meaning.py) from labelled stretches of talk: part of `make second-opinion`."""

from __future__ import annotations

import warnings
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, Protocol

import numpy as np
from joblib import Parallel, delayed
from scipy.sparse import csr_matrix
from scipy.sparse.linalg import svds
from sklearn.decomposition import TruncatedSVD
from sklearn.exceptions import ConvergenceWarning
from sklearn.neural_network import MLPClassifier

from rules.meaning import Meaning, Vectors, features, gram_values, grams

KNOWN, DIMENSIONS = 6_000, 64  # words, and n-grams; 8,000 and 100 find a little more, at twice the size
FEWEST = 4  # turns that a token must occur in
COMPANY = 4  # words to either side that a word is said with
PART = 10_000  # texts that a process works out at once
UNITS, NETS, ROUNDS, DECAY, TOGETHER = 64, 3, 6, 1e-2, 256  # several nets vary less than one; their mean is one again

Cut = Callable[[str], Sequence[str]]


class Said(Protocol):
    """Normalised words between the turns near them."""

    @property
    def text(self) -> str: ...
    @property
    def near(self) -> Sequence[str]: ...


def learned(said: Sequence[Said], guilty: Any, importance: Any, cut: Cut) -> Meaning:
    """Vectors and a net; what it says of a text is log-odds, until `on_scale`. `guilty`, `importance`: of each text."""
    cuts = [cut(one.text) for one in said]
    words, pairs = word_vectors(cuts), gram_vectors([one.text for one in said])
    table = _table(said, cuts, words, pairs)
    mean, spread = table.mean(axis=0), table.std(axis=0) + 1e-6
    spread[spread < 1e-5] = 1  # a feature that is always the same tells nothing
    importance = importance / importance.mean()
    nets = Parallel(n_jobs=-1)(delayed(_net)((table - mean) / spread, guilty, importance, seed) for seed in range(NETS))
    hidden = np.hstack([net.coefs_[0] for net in nets]) / spread[:, np.newaxis]
    return Meaning(
        words=words,
        grams=pairs,
        hidden=hidden.astype(np.float32),
        hidden_bias=(np.concatenate([net.intercepts_[0] for net in nets]) - mean @ hidden).astype(np.float32),
        out=(np.concatenate([net.coefs_[1][:, 0] for net in nets]) / NETS).astype(np.float32),
        bias=float(np.mean([net.intercepts_[1][0] for net in nets])),
    )


def suspicions(meaning: Meaning, said: Sequence[Said], cut: Cut) -> Any:
    """What the net says of each text, (texts,): `Meaning.suspicion` of many at once."""
    table = _table(said, [cut(one.text) for one in said], meaning.words, meaning.grams)
    return np.maximum(table @ meaning.hidden + meaning.hidden_bias, 0) @ meaning.out + meaning.bias


def _table(said: Sequence[Said], cuts: Sequence[Sequence[str]], words: Vectors, pairs: Vectors) -> Any:
    """The features of each text, (texts, features), worked out on all cores."""
    parts = [slice(at, at + PART) for at in range(0, len(said), PART)]
    rows = Parallel(n_jobs=-1)(delayed(_rows)(said[part], cuts[part], words, pairs) for part in parts)
    return np.concatenate(rows)


def _rows(said: Sequence[Said], cuts: Sequence[Sequence[str]], words: Vectors, pairs: Vectors) -> Any:
    return np.stack([features(one.text, own, one.near, words, pairs) for one, own in zip(said, cuts, strict=True)])


def _net(table: Any, guilty: Any, importance: Any, seed: int) -> MLPClassifier:
    warnings.simplefilter("ignore", ConvergenceWarning)  # ROUNDS are meant
    together = min(TOGETHER, len(table))
    net = MLPClassifier((UNITS,), alpha=DECAY, batch_size=together, max_iter=ROUNDS, random_state=seed)
    return net.fit(table, guilty, sample_weight=importance)


def word_vectors(cuts: Sequence[Sequence[str]]) -> Vectors:
    """Of the commonest words: which words they are said with more than by chance (positive PMI), in few dimensions."""
    turns = Counter(word for words in cuts for word in set(words))
    index = _commonest(turns)
    together = Counter[tuple[int, int]]()
    for words in cuts:
        rows = [index.get(word, -1) for word in words]
        for at, one in enumerate(rows):
            for other in rows[at + 1 : at + 1 + COMPANY]:
                if min(one, other) >= 0:
                    together[one, other] += 1
                    together[other, one] += 1
    pairs, counts = np.array(list(together)), np.array(list(together.values()), dtype=float)
    each = np.bincount(pairs[:, 0], counts, len(index))
    smoothed = each**0.75  # as in Levy, Goldberg and Dagan (TACL 2015): rare company counts less
    surprise = np.log(counts * smoothed.sum() / (each[pairs[:, 0]] * smoothed[pairs[:, 1]]))
    matrix = csr_matrix((np.maximum(surprise, 0), (pairs[:, 0], pairs[:, 1])), shape=(len(index), len(index)))
    left, strength, _ = svds(matrix, k=min(DIMENSIONS, len(index) - 1), random_state=0)
    rows = left * np.sqrt(strength)
    rows /= np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-9)
    return Vectors(index=index, rows=rows.astype(np.float32), rarity=_rarity(turns, index, len(cuts)))


def gram_vectors(texts: Sequence[str]) -> Vectors:
    """Of the commonest n-grams: what they share with the turns that they occur in (latent semantic analysis)."""
    turns = Counter(gram for text in texts for gram in set(grams(text)))
    index = _commonest(turns)
    rarity = _rarity(turns, index, len(texts)) + 1
    rows = [gram_values([text], index, rarity) for text in texts]
    starts = np.cumsum([0, *(len(columns) for columns, _ in rows)])
    matrix = csr_matrix(
        (np.concatenate([values for _, values in rows]), np.concatenate([columns for columns, _ in rows]), starts),
        shape=(len(texts), len(index)),
    )
    found = TruncatedSVD(min(DIMENSIONS, len(index) - 1), n_iter=3, random_state=0).fit(matrix).components_.T
    return Vectors(index=index, rows=found.astype(np.float32), rarity=rarity)


def scale(*, of: Any, to: Any) -> tuple[float, float]:
    """Factor and shift that bring some scores to the mean and spread of others."""
    factor = float(to.std() / of.std())
    return factor, float(to.mean() - factor * of.mean())


def on_scale(meaning: Meaning, factor: float, shift: float) -> Meaning:
    """The net with what it says times a factor, and shifted."""
    return replace(meaning, out=meaning.out * np.float32(factor), bias=meaning.bias * factor + shift)


def _commonest(turns: Counter[str]) -> dict[str, int]:
    """A row for each of the tokens that occur in most turns, alike in every process."""
    known = sorted((token for token in turns if turns[token] >= FEWEST), key=lambda token: (-turns[token], token))
    return {token: row for row, token in enumerate(known[:KNOWN])}


def _rarity(turns: Counter[str], index: dict[str, int], count: int) -> Any:
    return np.log((1 + count) / (1 + np.array([turns[token] for token in index]))).astype(np.float32)
