"""Learn what words mean together (rules/meaning.py) from labelled stretches of talk: part of `make second-opinion`."""

from __future__ import annotations

import warnings
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, Protocol

import numpy as np
from joblib import Parallel, delayed
from scipy.linalg import block_diag
from scipy.sparse import csr_matrix
from scipy.sparse.linalg import svds
from sklearn.decomposition import TruncatedSVD
from sklearn.exceptions import ConvergenceWarning
from sklearn.neural_network import MLPClassifier

from rules.grams import grams
from rules.meaning import LONGEST, Meaning, Vectors, features, gram_values

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


def learned(said: Sequence[Said], labels: Any, importance: Any, cut: Cut) -> Meaning:
    """Vectors and a net; how suspicious it finds a text is log-odds, until `on_scale`. `labels`: (texts, categories)
    of which each is guilty; `importance`: (texts,). Of what texts are suspicious is learned from the guilty alone.
    """
    cuts = [cut(one.text) for one in said]
    words, pairs = word_vectors(cuts), gram_vectors([one.text for one in said])
    table = _table(said, cuts, words, pairs)
    mean, spread = table.mean(axis=0), table.std(axis=0) + 1e-6
    spread[spread < 1e-5] = 1  # a feature that is always the same tells nothing
    scaled, guilty, importance = (table - mean) / spread, labels.any(axis=1), importance / importance.mean()
    lessons = [(scaled, guilty, importance), (scaled[guilty], labels[guilty], np.ones(int(guilty.sum())))]
    nets = Parallel(n_jobs=-1)(delayed(_net)(*lesson, seed) for lesson in lessons for seed in range(NETS))
    hidden = np.hstack([net.coefs_[0] for net in nets]) / spread[:, np.newaxis]
    apart = nets[:NETS], nets[NETS:]
    out = block_diag(*(np.vstack([net.coefs_[1] for net in same]) / NETS for same in apart))
    bias = np.concatenate([np.mean([net.intercepts_[1] for net in same], axis=0) for same in apart])
    return Meaning(
        words=words,
        grams=pairs,
        hidden=hidden.astype(np.float32),
        hidden_bias=(np.concatenate([net.intercepts_[0] for net in nets]) - mean @ hidden).astype(np.float32),
        out=out.astype(np.float32),
        bias=bias.astype(np.float32),
    )


def opinions(meaning: Meaning, said: Sequence[Said], cut: Cut) -> Any:
    """What the net says of each text, (texts, outputs): `Meaning.of` of many at once."""
    return meaning.outputs(_table(said, [cut(one.text) for one in said], meaning.words, meaning.grams))


def _table(said: Sequence[Said], cuts: Sequence[Sequence[str]], words: Vectors, pairs: Vectors) -> Any:
    """The features of each text, (texts, features), worked out on all cores."""
    parts = [slice(at, at + PART) for at in range(0, len(said), PART)]
    rows = Parallel(n_jobs=-1)(delayed(_rows)(said[part], cuts[part], words, pairs) for part in parts)
    return np.concatenate(rows)


def _rows(said: Sequence[Said], cuts: Sequence[Sequence[str]], words: Vectors, pairs: Vectors) -> Any:
    return np.stack([features(one.text, own, one.near, words, pairs) for one, own in zip(said, cuts, strict=True)])


def _net(table: Any, labels: Any, importance: Any, seed: int) -> MLPClassifier:
    warnings.simplefilter("ignore", ConvergenceWarning)  # ROUNDS are meant
    together = min(TOGETHER, len(table))
    net = MLPClassifier((UNITS,), alpha=DECAY, batch_size=together, max_iter=ROUNDS, random_state=seed)
    return net.fit(table, labels, sample_weight=importance)


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
    turns = Counter(gram for text in texts for gram in set(grams(text, LONGEST)))
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
    """The net with the suspicion that it finds times a factor, and shifted."""
    outputs = len(meaning.bias)
    factors, shifts = np.r_[factor, np.ones(outputs - 1)], np.r_[shift, np.zeros(outputs - 1)]
    return replace(
        meaning,
        out=(meaning.out * factors).astype(np.float32),
        bias=(meaning.bias * factors + shifts).astype(np.float32),
    )


def _commonest(turns: Counter[str]) -> dict[str, int]:
    """A row for each of the tokens that occur in most turns, alike in every process."""
    known = sorted((token for token in turns if turns[token] >= FEWEST), key=lambda token: (-turns[token], token))
    return {token: row for row, token in enumerate(known[:KNOWN])}


def _rarity(turns: Counter[str], index: dict[str, int], count: int) -> Any:
    return np.log((1 + count) / (1 + np.array([turns[token] for token in index]))).astype(np.float32)
