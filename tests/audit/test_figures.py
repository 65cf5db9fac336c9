"""Counts, rates and intervals."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit.figures import figures, flagged, wilson
from audit.report import Asked, read_report
from audit.score import Verdict
from audit.store import Store
from rules.model import Severity


@pytest.mark.parametrize(("hits", "of", "low", "high"), [
    (5, 10, 0.2366, 0.7634), (0, 10, 0.0, 0.2775), (10, 10, 0.7225, 1.0), (1, 1000, 0.0002, 0.0056),
])  # fmt: skip
def test_wilson_agrees_with_published_values(hits: int, of: int, low: float, high: float) -> None:
    got = wilson(hits, of)
    assert (got.low, got.high) == (pytest.approx(low, abs=1e-4), pytest.approx(high, abs=1e-4))


def test_no_sample_has_no_share() -> None:
    got = wilson(0, 0)
    assert (got.share, got.low, got.high) == (None, None, None)


@given(of=st.integers(1, 10**6), part=st.floats(0, 1))
def test_an_interval_holds_the_share_and_stays_within_zero_and_one(of: int, part: float) -> None:
    got = wilson(round(of * part), of)
    assert got.share is not None
    assert got.low is not None
    assert got.high is not None
    assert 0 <= got.low <= got.share + 1e-9
    assert got.share - 1e-9 <= got.high <= 1


def test_a_batch_in_figures(same_batch: Store) -> None:
    got = figures(read_report(same_batch, Asked(unmasked=True)))
    assert (got.calls, got.ms, got.failures) == (3, 90_000, 1)
    assert (got.violations, got.unsure, got.with_violation.hits) == (4, 1, 2)
    assert got.by_severity[Severity.HIGH].violations == 2
    assert got.by_severity[Severity.HIGH].unsure == 1
    assert got.by_severity[Severity.HIGH].calls == 1
    assert got.verdicts == {Verdict.PASS: 1, Verdict.FAIL: 2, Verdict.REVIEW: 0, Verdict.NOT_SCORED: 0}
    assert list(got.by_category) == ["threat", "abuse", "privacy_leak", "recording_notice", "quiet_hours"]
    assert got.signals == {"complaint_intent": 1}
    assert (got.duties.hits, got.duties.of) == (3, 4)


def test_rules_are_rows_too(same_batch: Store) -> None:
    lines = {line.key: line for line in figures(read_report(same_batch, Asked(by="rule"))).lines}
    assert lines["menace-family"].violations == 1
    assert lines["menace-family"].per_100 == pytest.approx(100 / 3)
    assert lines["insult"].unsure == 1
    assert "wants-to-complain" not in lines


def test_calls_to_read_come_worst_first(same_batch: Store) -> None:
    assert [call.record.call_id for call in flagged(read_report(same_batch, Asked(unmasked=True)).calls)] == ["c-threat", "c-<script>"]
