"""Estimates against worlds where the truth is known, and against published examples."""

from __future__ import annotations

import random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit.estimates import (
    Flagged,
    Listened,
    agreement,
    cohen,
    difference,
    error_rate,
    fleiss,
    kappa,
    recall,
)
from audit.figures import wilson

# Cohen's kappa: 50 proposals, both yes 20, both no 15, one of them 5 and 10 (a textbook's example).
COHEN = [("y", "y")] * 20 + [("y", "n")] * 5 + [("n", "y")] * 10 + [("n", "n")] * 15
# Fleiss 1971's layout as commonly reprinted: ten subjects, fourteen raters, five categories.
FLEISS = (
    (0, 0, 0, 0, 14), (0, 2, 6, 4, 2), (0, 0, 3, 5, 6), (0, 3, 9, 2, 0), (2, 2, 8, 1, 1),
    (7, 7, 0, 0, 0), (3, 2, 6, 3, 0), (2, 5, 3, 2, 2), (6, 5, 2, 1, 0), (0, 2, 2, 3, 7),
)  # fmt: skip


def test_cohens_kappa_of_a_published_example() -> None:
    assert cohen(COHEN) == pytest.approx(0.4)
    assert agreement(COHEN) == pytest.approx(0.7)


def test_fleiss_kappa_of_a_published_example() -> None:
    rows = [[label for label, n in enumerate(counts) for _ in range(n)] for counts in FLEISS]
    assert fleiss(rows) == pytest.approx(0.210, abs=0.0005)


def test_kappa_has_an_interval_around_it_and_takes_the_measure_that_fits() -> None:
    two = kappa(COHEN)
    assert two.low is not None
    assert two.high is not None
    assert two.low < 0.4 < two.high
    # The published standard error of this table is about 0.13.
    assert two.high - two.low == pytest.approx(4 * 0.13, rel=0.15)
    three = [(a, b, a) for a, b in COHEN]
    assert kappa(three).value == fleiss(three)
    assert kappa(COHEN) == two


@pytest.mark.parametrize("rows", [[], [(False, False)] * 9, [(True, True, True)] * 3])
def test_where_all_say_the_same_throughout_kappa_says_nothing(rows: list[tuple[bool, ...]]) -> None:
    assert kappa(rows).value is None


def test_difference_of_shares_as_published() -> None:
    """Newcombe's worked example: 56 of 70 against 48 of 80."""
    found = difference(wilson(56, 70), wilson(48, 80))
    assert (found.value, found.low, found.high) == pytest.approx((0.2, 0.0524, 0.3339), abs=0.0005)
    assert difference(wilson(1, 2), wilson(0, 0)).value is None


@given(st.tuples(*[st.integers(0, 300)] * 4))
def test_the_interval_of_a_difference_holds_it_and_stays_possible(numbers: tuple[int, int, int, int]) -> None:
    b, more_b, a, more_a = numbers
    found = difference(wilson(a, a + more_a), wilson(b, b + more_b))
    if 0 in (b + more_b, a + more_a):
        assert found.value is None
        return
    assert None not in (found.value, found.low, found.high)
    assert -1 - 1e-9 <= (found.low or 0) <= (found.value or 0) <= (found.high or 0) <= 1 + 1e-9


def test_recall_of_a_whole_world_heard_is_exact() -> None:
    found = recall(Flagged(all=40, confirmed=30, dismissed=10), [Listened(size=100, heard=100, missed=10)])
    assert (found.value, found.low, found.high) == (0.75, 0.75, 0.75)


def test_recall_counts_strata_by_their_size() -> None:
    strata = [Listened(size=9000, heard=90, missed=0), Listened(size=1000, heard=100, missed=10)]
    found = recall(Flagged(all=100, confirmed=100, dismissed=0), strata)
    assert (found.found, found.missed, found.value) == (100, 100, 0.5)


def test_what_is_not_judged_yet_is_taken_as_the_judged_and_what_is_known_is_missed() -> None:
    found = recall(Flagged(all=100, confirmed=30, dismissed=20, known=5), [Listened(size=50, heard=50, missed=0)])
    assert (found.found, found.missed) == (60, 5)


def test_a_stratum_nobody_has_heard_is_counted_with_the_others() -> None:
    strata = [Listened(size=500, heard=10, missed=1), Listened(size=500, heard=0, missed=0)]
    assert recall(Flagged(all=1, confirmed=1, dismissed=0), strata).missed == 100


@pytest.mark.parametrize(
    ("flagged", "strata"),
    [
        (Flagged(all=10, confirmed=0, dismissed=0), [Listened(size=9, heard=9, missed=0)]),
        (Flagged(all=10, confirmed=5, dismissed=0), [Listened(size=9, heard=0, missed=0)]),
        (Flagged(all=10, confirmed=0, dismissed=10), [Listened(size=9, heard=9, missed=0)]),
    ],
)
def test_without_reviews_or_anything_found_recall_says_nothing(flagged: Flagged, strata: list[Listened]) -> None:
    assert recall(flagged, strata).value is None


def test_nothing_missed_in_a_small_sample_does_not_prove_that_nothing_is() -> None:
    found = recall(Flagged(all=50, confirmed=50, dismissed=0), [Listened(size=100_000, heard=50, missed=0)])
    assert (found.value, found.high) == (1.0, 1.0)
    assert found.low is not None
    assert found.low < 0.1


@pytest.mark.parametrize(
    ("missed_rate", "heard", "strata"),
    [(0.01, 600, 1), (0.03, 200, 1), (0.002, 400, 1), (0.02, 400, 4)],
)
def test_the_interval_of_recall_covers_the_truth(missed_rate: float, heard: int, strata: int) -> None:
    """Simulated months: 20,000 calls without findings, 700 with, a third of these judged."""
    lots, covered, months = np.random.default_rng(3), 0, 300
    for _ in range(months):
        right = lots.random(700) < 0.8
        judged = right[:250]
        sizes = [20_000 // strata] * strata
        rates = [missed_rate * 2 * (n + 1) / (strata + 1) for n in range(strata)]
        worlds = [lots.random(size) < rate for size, rate in zip(sizes, rates, strict=True)]
        parts = [Listened(size=len(w), heard=heard // strata, missed=int(w[: heard // strata].sum())) for w in worlds]
        truth = right.sum() / (right.sum() + sum(w.sum() for w in worlds))
        found = recall(Flagged(all=700, confirmed=int(judged.sum()), dismissed=int((~judged).sum())), parts)
        assert found.low is not None
        assert found.high is not None
        covered += found.low <= truth <= found.high
    assert covered / months >= 0.92


def test_unequal_shares_of_strata_cost_the_interval_its_width() -> None:
    even = [Listened(size=5000, heard=200, missed=2), Listened(size=5000, heard=200, missed=2)]
    uneven = [Listened(size=9900, heard=200, missed=2), Listened(size=100, heard=100, missed=1)]
    flagged = Flagged(all=300, confirmed=300, dismissed=0)
    widths = [
        found.high - found.low for found in (recall(flagged, even), recall(flagged, uneven)) if found.low and found.high
    ]
    assert widths[0] < widths[1]


def test_error_rate_is_per_character_over_all_texts() -> None:
    found = error_rate([(1, 10), (0, 90), (9, 100)])
    assert found.value == pytest.approx(0.05)
    assert found.low is not None
    assert found.high is not None
    assert found.low < 0.05 < found.high
    assert error_rate([]).value is None
    assert error_rate([(1, 10)]).low is None


def test_the_interval_of_the_error_rate_covers_the_truth() -> None:
    lots, covered = random.Random(5), 0
    for _ in range(200):
        texts = [
            (sum(lots.random() < 0.08 for _ in range(of)), of) for of in (lots.randrange(20, 120) for _ in range(40))
        ]
        found = error_rate(texts)
        assert found.low is not None
        assert found.high is not None
        covered += found.low <= 0.08 <= found.high
    assert covered >= 180
