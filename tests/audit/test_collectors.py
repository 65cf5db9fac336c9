"""Collectors side by side: only what people confirmed counts, and each figure has its sample."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit.access import Actor, Refused, Role
from audit.clips import ClipUnavailable
from audit.collectors import collectors, hear, profile
from audit.figures import rate
from audit.promises import Terms
from audit.review import Choice, Policy, judge
from audit.store import EVERY_CALL, Filter, Store, queue
from audit.store.verdicts import Kind

OFFICER = Actor(name="合规", role=Role.OFFICER)
REVIEWER = Actor(name="质检甲", role=Role.REVIEWER)
TERMS = Terms(today=date(2026, 12, 1), grace_days=3)


def confirm(store: Store, call_id: str, rule_id: str) -> None:
    for item in queue.items_of_call(store, call_id):
        if item.rule_id == rule_id:
            judge(store, item, Choice(kind=Kind.CONFIRM), actor=REVIEWER, policy=Policy())


def test_nothing_counts_before_people_have_confirmed_it(batch: Store) -> None:
    lines = {line.agent_id: line for line in collectors(batch, EVERY_CALL, actor=OFFICER, terms=TERMS)}
    assert {agent: line.violations.events for agent, line in lines.items()} == {"A01": 0, "A02": 0, "A03": 0}
    assert lines["A02"].waiting == 3
    confirm(batch, "c-threat", "menace-family")
    (worst, *_) = collectors(batch, EVERY_CALL, actor=OFFICER, terms=TERMS)
    assert (worst.agent_id, worst.violations.events, worst.violations.of, worst.small) == ("A02", 1, 1, True)
    assert worst.outcome is not None
    assert worst.outcome.violations == 1  # the page 承诺与成效 counts the same


def test_a_profile_has_faults_to_hear_and_weeks(batch: Store) -> None:
    confirm(batch, "c-threat", "menace-family")
    found = profile(batch, "A02", EVERY_CALL, actor=OFFICER, terms=TERMS)
    assert found is not None
    (fault,) = found.faults
    assert (fault.title, fault.violations, len(found.weeks)) == ("以家人安全相威胁", 1, 1)
    (place,) = fault.places
    assert place.quote == "你女儿是在实验小学三年级吧，路上小心一点"
    assert hear(place, actor=OFFICER)[:4] == b"OggS"
    assert place.path is not None
    place.path.unlink()
    with pytest.raises(ClipUnavailable):
        hear(place, actor=OFFICER)


def test_calls_without_any_fault_are_the_good_ones(batch: Store) -> None:
    found = profile(batch, "A01", EVERY_CALL, actor=OFFICER, terms=TERMS)
    assert found is not None
    assert [call.call_id for call in found.good] == ["c-good"]
    bad = profile(batch, "A02", EVERY_CALL, actor=OFFICER, terms=TERMS)
    assert bad is not None
    assert bad.good == ()


def test_an_unknown_collector_has_no_profile(batch: Store) -> None:
    assert profile(batch, "Z99", EVERY_CALL, actor=OFFICER, terms=TERMS) is None


def test_filters_hold(batch: Store) -> None:
    lines = collectors(batch, Filter(team="二组"), actor=OFFICER, terms=TERMS)
    assert [line.agent_id for line in lines] == ["A02"]


def test_reviewers_see_conduct_without_money_and_collectors_nothing(batch: Store) -> None:
    assert all(line.outcome is None for line in collectors(batch, EVERY_CALL, actor=REVIEWER, terms=TERMS))
    with pytest.raises(Refused):
        collectors(batch, EVERY_CALL, actor=Actor(name="x", role=Role.COLLECTOR, agent_id="A01"), terms=TERMS)


@pytest.mark.parametrize(("events", "low", "high"), [(0, 0, 3.69), (5, 1.62, 11.67), (20, 12.22, 30.89)])
def test_the_interval_of_a_rate_agrees_with_exact_limits(events: int, low: float, high: float) -> None:
    got = rate(events, 100)
    assert (got.low, got.high) == (pytest.approx(low, abs=0.06), pytest.approx(high, abs=0.06))


@given(events=st.integers(0, 10**5), of=st.integers(1, 10**6))
def test_a_rate_lies_within_its_interval(events: int, of: int) -> None:
    got = rate(events, of)
    assert got.low is not None
    assert got.high is not None
    assert got.per_100 is not None
    assert 0 <= got.low <= got.per_100 <= got.high
