"""A collector appeals once, in time, against their own confirmed finding; another reviewer decides, for good."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from audit import appeals, ledger, review
from audit.access import Actor, Refused, Role
from audit.appeals import CannotAppeal
from audit.review import Choice, Conflict, Policy
from audit.store import Store, queue, tallies, verdicts
from audit.store.appeals import Decision
from audit.store.queue import Item, State
from audit.store.verdicts import Kind
from tests.audit.conftest import Said

WU = Actor(name="吴", role=Role.REVIEWER)
ZHENG = Actor(name="郑", role=Role.REVIEWER)
ZHAO = Actor(name="赵强", role=Role.COLLECTOR, agent_id="A02")
OTHER = Actor(name="王敏", role=Role.COLLECTOR, agent_id="A01")
POLICY = Policy(appeal_days=7)
CONFIRM = Choice(kind=Kind.CONFIRM)


@pytest.fixture
def store(stored: Callable[..., Store], threat_call: Said) -> Store:
    return stored(threat_call)


def confirmed(store: Store, choice: Choice = CONFIRM) -> Item:
    offer = review.next_item(store, actor=WU)
    assert offer is not None
    return review.judge(store, offer.item, choice, actor=WU, policy=POLICY)


def state(store: Store, item: Item) -> State:
    found = queue.item(store, item.key)
    assert found is not None
    return found.state


def test_an_appeal_that_succeeds_takes_the_finding_back(store: Store) -> None:
    item = confirmed(store)
    appeal = appeals.file_appeal(store, item.key, " 我说的是接送要小心 ", actor=ZHAO, policy=POLICY)
    assert (state(store, item), appeal.text, appeal.before) == (
        State.APPEALED,
        "我说的是接送要小心",
        State.CONFIRMED,
    )
    assert tallies.totals(store).violations == 1  # counts until it is decided
    done = appeals.decide_appeal(store, appeal.id, Decision.OVERTURNED, "听录音后认可", actor=ZHENG)
    assert (done.decision, done.decided_by, done.answer) == (Decision.OVERTURNED, "郑", "听录音后认可")
    assert (state(store, item), tallies.totals(store).violations) == (State.DISMISSED, 0)
    assert tallies.differences(store) == []


def test_an_appeal_that_fails_leaves_it_as_it_was(store: Store) -> None:
    item = confirmed(store, Choice(kind=Kind.PARTIAL, reason="milder"))
    appeal = appeals.file_appeal(store, item.key, "不认可", actor=ZHAO, policy=POLICY)
    appeals.decide_appeal(store, appeal.id, Decision.UPHELD, "证据清楚", actor=ZHENG)
    assert state(store, item) is State.PARTIAL
    said = [(entry.by, entry.kind) for entry in verdicts.history(store, item.key)]
    assert said == [("吴", Kind.PARTIAL), ("赵强", Kind.APPEAL), ("郑", Kind.UPHOLD)]


def test_who_judged_may_not_decide(store: Store) -> None:
    item = confirmed(store)
    appeal = appeals.file_appeal(store, item.key, "不认可", actor=ZHAO, policy=POLICY)
    (waiting,) = appeals.to_decide(store, actor=WU)
    assert not appeals.may_decide(waiting.item, actor=WU)
    with pytest.raises(CannotAppeal, match="另一位复核人"):
        appeals.decide_appeal(store, appeal.id, Decision.UPHELD, "维持", actor=WU)
    assert state(store, item) is State.APPEALED


def test_a_decision_is_final(store: Store) -> None:
    item = confirmed(store)
    appeal = appeals.file_appeal(store, item.key, "不认可", actor=ZHAO, policy=POLICY)
    appeals.decide_appeal(store, appeal.id, Decision.UPHELD, "维持", actor=ZHENG)
    with pytest.raises(CannotAppeal, match="最终结果"):
        appeals.decide_appeal(store, appeal.id, Decision.OVERTURNED, "改判", actor=ZHENG)
    with pytest.raises(CannotAppeal, match="只有一次"):
        appeals.file_appeal(store, item.key, "还是不认可", actor=ZHAO, policy=POLICY)
    with pytest.raises(Conflict, match="申诉"):
        review.undo(store, item.stamp, actor=WU, policy=POLICY)


def test_only_ones_own_finding(store: Store) -> None:
    item = confirmed(store)
    for actor in (OTHER, Actor(name="无号", role=Role.COLLECTOR)):
        with pytest.raises(Refused, match="自己的通话"):
            appeals.file_appeal(store, item.key, "不认可", actor=actor, policy=POLICY)
        assert appeals.own_findings(store, actor=actor, policy=POLICY) == []
    with pytest.raises(Refused):
        appeals.decide_appeal(store, 1, Decision.UPHELD, "维持", actor=ZHAO)


def test_only_what_is_confirmed_and_only_in_time(store: Store) -> None:
    offer = review.next_item(store, actor=WU)
    assert offer is not None
    with pytest.raises(CannotAppeal, match="已确认的违规"):
        appeals.file_appeal(store, offer.item.key, "不认可", actor=ZHAO, policy=POLICY)
    item = confirmed(store)
    with store.writing():
        store.sql.execute("update verdicts set at = '2026-01-01T00:00:00+00:00'")
    (own,) = appeals.own_findings(store, actor=ZHAO, policy=POLICY)
    assert own.until is None
    with pytest.raises(CannotAppeal, match="超过确认后 7 天"):
        appeals.file_appeal(store, item.key, "不认可", actor=ZHAO, policy=POLICY)


@pytest.mark.parametrize("text", ["", " \n"])
def test_both_sides_say_why(store: Store, text: str) -> None:
    item = confirmed(store)
    with pytest.raises(CannotAppeal, match="写明"):
        appeals.file_appeal(store, item.key, text, actor=ZHAO, policy=POLICY)
    appeal = appeals.file_appeal(store, item.key, "不认可", actor=ZHAO, policy=POLICY)
    with pytest.raises(CannotAppeal, match="写明处理意见"):
        appeals.decide_appeal(store, appeal.id, Decision.UPHELD, text, actor=ZHENG)


def test_collectors_see_what_counts_and_what_was_taken_back(store: Store) -> None:
    item = confirmed(store)
    (own,) = appeals.own_findings(store, actor=ZHAO, policy=POLICY)
    assert own.until is not None
    appeal = appeals.file_appeal(store, item.key, "不认可", actor=ZHAO, policy=POLICY)
    appeals.decide_appeal(store, appeal.id, Decision.OVERTURNED, "认可", actor=ZHENG)
    (own,) = appeals.own_findings(store, actor=ZHAO, policy=POLICY)
    assert own.appeal is not None
    assert (own.appeal.decision, own.until) == (Decision.OVERTURNED, None)
    assert [one.appeal.id for one in appeals.decided(store, actor=WU)] == [appeal.id]


def test_appeals_stand_in_the_ledger_without_their_words(store: Store) -> None:
    item = confirmed(store)
    appeal = appeals.file_appeal(store, item.key, "客户张三先骂我", actor=ZHAO, policy=POLICY)
    appeals.decide_appeal(store, appeal.id, Decision.UPHELD, "张三没有骂人", actor=ZHENG)
    entries = list(reversed(ledger.recent(store, subject=item.key)))
    assert [(entry.kind, entry.data.get("decision")) for entry in entries[1:]] == [
        ("appeal", None),
        ("appeal_decision", "upheld"),
    ]
    assert not any("张三" in str(entry.data) for entry in entries)
