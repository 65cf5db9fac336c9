"""Estimates from samples, each with a 95 % interval: recall, differences, agreement, error rates. Pure functions.

Where an interval is drawn by lot, the lots are the same every time: equal data give equal figures.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from itertools import combinations
from math import hypot
from typing import TypeVar

from audit.figures import Share

DRAWS = 4_000
_RESAMPLES = 1_000
_OUTSIDE = 0.025  # of the lots, on either side of a 95 % interval

Row = TypeVar("Row")


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """A figure with its interval; `of` is what it rests on. All three are None where nothing can be said."""

    value: float | None
    low: float | None
    high: float | None
    of: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Flagged:
    """Calls in which the machine found something: all, and those that people upheld and dismissed.

    `known`: calls that were flagged for something else, in which people added this.
    """

    all: int
    confirmed: int
    dismissed: int
    known: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Listened:
    """Calls in which nothing was found: `size` in the stratum, `heard` of them by people, `missed` a violation."""

    size: int
    heard: int
    missed: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Recall(Estimate):
    """`of`: calls heard among those with nothing found. `found` and `missed`: calls with violations, estimated."""

    found: float | None
    missed: float | None


def recall(flagged: Flagged, strata: Sequence[Listened]) -> Recall:
    """Of the calls with a violation, the share in which the machine finds it.

    Found: upheld ones, and of those not yet judged as large a share as of the judged. Missed: each stratum's share of
    missed ones times its size (stratified estimator), and those known. The interval: beta-binomial with Jeffreys'
    prior, drawn 4,000 times, for flagged calls not judged and for calls not heard.
    """
    judged, heard = flagged.confirmed + flagged.dismissed, sum(one.heard for one in strata)
    if not heard or (flagged.all and not judged):
        return Recall(value=None, low=None, high=None, of=heard, found=None, missed=None)
    strata = _heard_of_each(strata)
    waiting = max(0, flagged.all - judged)
    found = flagged.confirmed + (waiting * flagged.confirmed / judged if judged else 0.0)
    missed = flagged.known + sum(one.size * one.missed / one.heard for one in strata)
    value = found / (found + missed) if found + missed else None
    low, high = (None, None) if value is None else _recall_interval(flagged, strata, waiting)
    return Recall(value=value, low=low, high=high, of=heard, found=found, missed=missed)


def _heard_of_each(strata: Sequence[Listened]) -> list[Listened]:
    """As given; all in one where of some stratum nothing has been heard yet."""
    filled = [one for one in strata if one.size]
    if all(one.heard for one in filled):
        return filled
    return [Listened(size=sum(one.size for one in filled), heard=sum(one.heard for one in filled),
                     missed=sum(one.missed for one in filled))]  # fmt: skip


def _recall_interval(flagged: Flagged, strata: Sequence[Listened], waiting: int) -> tuple[float, float]:
    import numpy as np

    lots = np.random.default_rng(0)
    size, heard = sum(one.size for one in strata), sum(one.heard for one in strata)
    share = sum(one.size * one.missed / one.heard for one in strata) / size
    # Kish: unequal weights make a sample worth less than its number.
    worth = size**2 / sum(one.size**2 / one.heard for one in strata)
    rate = lots.beta(share * worth + 0.5, (1 - share) * worth + 0.5, DRAWS)
    missed = flagged.known + sum(one.missed for one in strata) + lots.binomial(max(0, size - heard), rate)
    upheld = lots.beta(flagged.confirmed + 0.5, flagged.dismissed + 0.5, DRAWS)
    found = flagged.confirmed + lots.binomial(waiting, upheld)
    low, high = np.quantile(found / np.maximum(found + missed, 1), [_OUTSIDE, 1 - _OUTSIDE])
    return float(low), 1.0 if not flagged.known and not share else float(high)


def difference(now: Share, before: Share) -> Estimate:
    """`now` less `before`, with Newcombe's interval from the two Wilson intervals; `of` is the smaller sample."""
    least = min(now.of, before.of)
    if not least or now.share is None or before.share is None:
        return Estimate(value=None, low=None, high=None, of=least)
    change = now.share - before.share
    low = change - hypot(now.share - (now.low or 0.0), (before.high or 0.0) - before.share)
    high = change + hypot((now.high or 0.0) - now.share, before.share - (before.low or 0.0))
    return Estimate(value=change, low=low, high=high, of=least)


def kappa(rows: Sequence[Sequence[Hashable]]) -> Estimate:
    """Agreement beyond chance; a row per call with what each reviewer said, always in the same order of reviewers.

    Two reviewers: Cohen's; more: Fleiss's. Interval: bootstrap over calls. None where all say the same throughout:
    chance alone explains that too.
    """
    statistic = cohen if rows and len(rows[0]) == 2 else fleiss
    return _bootstrapped(rows, statistic)


def cohen(rows: Sequence[Sequence[Hashable]]) -> float | None:
    """Cohen's kappa of two reviewers; each has a leaning of their own."""
    if not rows:
        return None
    agreed = sum(first == second for first, second in rows) / len(rows)
    firsts, seconds = (Counter(row[n] for row in rows) for n in (0, 1))
    chance = sum(firsts[label] * seconds[label] for label in firsts) / len(rows) ** 2
    return None if chance == 1 else (agreed - chance) / (1 - chance)


def fleiss(rows: Sequence[Sequence[Hashable]]) -> float | None:
    """Fleiss's kappa of several reviewers, equally many in each row."""
    if not rows:
        return None
    raters, counts = len(rows[0]), [Counter(row) for row in rows]
    pairs = raters * (raters - 1)
    agreed = sum(sum(n * (n - 1) for n in count.values()) / pairs for count in counts) / len(rows)
    said = Counter(label for row in rows for label in row)
    chance = sum((n / (raters * len(rows))) ** 2 for n in said.values())
    return None if abs(chance - 1) < 1e-12 else (agreed - chance) / (1 - chance)


def agreement(rows: Sequence[Sequence[Hashable]]) -> float | None:
    """Of all pairs of reviewers in all rows, the share that said the same."""
    pairs = [first == second for row in rows for first, second in combinations(row, 2)]
    return sum(pairs) / len(pairs) if pairs else None


def error_rate(texts: Sequence[tuple[int, int]]) -> Estimate:
    """Edits per character, from (edits, characters) of each text; interval: bootstrap over texts."""
    return _bootstrapped(texts, _edits_per_character)


def _edits_per_character(texts: Sequence[tuple[int, int]]) -> float | None:
    characters = sum(of for _, of in texts)
    return sum(edits for edits, _ in texts) / characters if characters else None


def _bootstrapped(rows: Sequence[Row], statistic: Callable[[Sequence[Row]], float | None]) -> Estimate:
    """The statistic with its percentile interval; without an interval where rows are fewer than two."""
    value = statistic(rows)
    if value is None or len(rows) < 2:
        return Estimate(value=value, low=None, high=None, of=len(rows))
    lots = random.Random(0)
    drawn = [statistic(lots.choices(rows, k=len(rows))) for _ in range(_RESAMPLES)]
    known = sorted(one for one in drawn if one is not None)
    low, high = (known[round(at * (len(known) - 1))] for at in (_OUTSIDE, 1 - _OUTSIDE))
    return Estimate(value=value, low=low, high=high, of=len(rows))
