"""One call with everything around it: who sees what, masked or not, and how calls are found."""

from __future__ import annotations

import sqlite3
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from audit import ledger
from audit.access import LOCAL, Actor, Refused, Role
from audit.dossier import Dossier, list_calls, read_dossier
from audit.review import Choice, Policy, judge
from audit.store import Filter, Store
from audit.store.queue import State, items_of_call
from audit.store.verdicts import Kind
from audit.unmask import NoReason, Unmasking, unmask, unmask_export
from tests.demo import build_demo

REVIEWER = Actor(name="r", role=Role.REVIEWER)
TRAINER = Actor(name="t", role=Role.TRAINER)


def collector(agent_id: str) -> Actor:
    return Actor(name="c", role=Role.COLLECTOR, agent_id=agent_id)


@pytest.fixture(scope="module")
def master(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("dossier") / "callaudit.db"
    build_demo(path, calls=60)
    return path


@pytest.fixture
def store(master: Path, tmp_path: Path) -> Store:  # type: ignore[misc]
    copy = tmp_path / "callaudit.db"
    copy.write_bytes(master.read_bytes())
    with Store.open(copy) as opened:
        yield opened


@pytest.fixture
def worst(store: Store) -> str:
    """The call with most findings, of those that nobody has reviewed yet."""
    items = {call.record.call_id: items_of_call(store, call.record.call_id) for call in store.calls()}
    untouched = {call for call, found in items.items() if all(item.state is State.WAITING for item in found)}
    return max(untouched, key=lambda call: len(items[call]))


def dossier(store: Store, call_id: str, actor: Actor = REVIEWER, unmasking: Unmasking | None = None) -> Dossier:
    found = read_dossier(store, call_id, actor=actor, unmasking=unmasking)
    assert found is not None
    return found


def test_a_dossier_holds_words_findings_score_and_measures(store: Store, worst: str) -> None:
    found = dossier(store, worst)
    assert found.turns
    assert found.card is not None
    assert {one.key for one in found.found if one.item} == {item.key for item in items_of_call(store, worst)}
    assert found.measures.agent_share is not None
    assert 0 < found.measures.agent_share < 1
    assert found.measures.agent_pace is not None
    assert 60 < found.measures.agent_pace < 600


def test_no_such_call_is_none(store: Store) -> None:
    assert read_dossier(store, "nothing", actor=LOCAL) is None


def test_names_are_masked_until_a_reason_is_given(store: Store) -> None:
    named = next(call.record for call in store.calls() if call.record.agent_name)
    masked = dossier(store, named.call_id)
    assert masked.masked
    assert masked.record.agent_name == named.agent_name  # docs/privacy.md: collectors' names are for work

    allowed = unmask(store, named.call_id, "核对投诉 7 号", actor=REVIEWER)
    shown = dossier(store, named.call_id, unmasking=allowed)
    assert not shown.masked
    assert shown.record.agent_name == named.agent_name
    assert shown.beeps == ()


def test_an_unmasking_is_for_one_call_one_person_and_a_while(store: Store, worst: str) -> None:
    allowed = unmask(store, worst, "核对投诉 7 号", actor=REVIEWER)
    other = next(call.record.call_id for call in store.calls() if call.record.call_id != worst)
    old = Unmasking(subject=worst, by="r", until=datetime.now(UTC) - timedelta(seconds=1), entry=1)
    assert not dossier(store, worst, unmasking=allowed).masked
    assert dossier(store, other, unmasking=allowed).masked
    assert dossier(store, worst, LOCAL, unmasking=allowed).masked
    assert dossier(store, worst, unmasking=old).masked


def test_every_unmasking_is_in_the_ledger_and_its_reason_holds_no_personal_data(store: Store, worst: str) -> None:
    unmask(store, worst, "客户陈志强先生报了新号 13812345678", actor=REVIEWER)
    unmask_export(store, "report", "交给监管部门，文号 3", actor=LOCAL)
    export, view = ledger.recent(store, kind=ledger.Kind.UNMASK)
    assert (view.actor, view.subject, view.data["right"]) == ("r", worst, "unmask")
    assert view.data["reason"] == "客户***先生报了新号 ***********"
    assert (export.actor, export.data["right"]) == ("local", "export_unmasked")
    assert ledger.verify(store) is None


@pytest.mark.parametrize(("reason", "kept"), [
    ("监管调取2026-118号", "监管调取2026-118号"),
    ("金监函(2026)118号，客户王海涛", "金监函(2026)118号，客户***"),
    ("（2026）京0105民初12345号", "（2026）京0105民初12345号"),
    ("法院调证字第20261118001号", "法院调证字第20261118001号"),
    ("工单 CP20261118003", "工单 CP20261118003"),
    ("监管调取2026-118号，电话13812345678", "监管调取2026-118号，电话***********"),
    ("工单13812345678", "工单***********"),
    ("文号 110105194912310021", "文号 " + "*" * 18),
    ("第6222021001116245702号", "第" + "*" * 19 + "号"),
    ("投诉 0571-88886666", "投诉 " + "*" * 13),
    ("电话2026-1188", "电话*********"),
    ("客户报了 87654321", "客户报了 ********"),
])  # fmt: skip
def test_a_reason_keeps_the_reference_of_its_case_and_no_number_of_a_person(
    store: Store, worst: str, reason: str, kept: str
) -> None:
    unmask(store, worst, reason, actor=REVIEWER)
    (entry,) = ledger.recent(store, kind=ledger.Kind.UNMASK)
    assert entry.data["reason"] == kept


@pytest.mark.parametrize("reason", ["", "   ", "看看"])
def test_without_a_reason_nothing_is_unmasked(store: Store, worst: str, reason: str) -> None:
    with pytest.raises(NoReason):
        unmask(store, worst, reason, actor=REVIEWER)
    assert ledger.recent(store, kind=ledger.Kind.UNMASK) == []


@pytest.mark.parametrize("actor", [TRAINER, collector("A01")])
def test_trainers_and_collectors_may_not_unmask(store: Store, worst: str, actor: Actor) -> None:
    with pytest.raises(Refused):
        unmask(store, worst, "核对投诉 7 号", actor=actor)
    with pytest.raises(Refused):
        unmask_export(store, worst, "核对投诉 7 号", actor=REVIEWER)


def test_trainers_see_what_was_confirmed_and_no_machine_score(store: Store, worst: str) -> None:
    assert dossier(store, worst, TRAINER).found == ()
    first, second, *_ = items_of_call(store, worst)
    judge(store, first, Choice(kind=Kind.CONFIRM), actor=REVIEWER, policy=Policy())
    judge(store, second, Choice(kind=Kind.DISMISS, reason="context"), actor=REVIEWER, policy=Policy())
    seen = dossier(store, worst, TRAINER)
    assert [one.key for one in seen.found] == [first.key]
    assert seen.card is None
    assert seen.complaints == ()


def test_a_collector_sees_own_calls_only(store: Store, worst: str) -> None:
    call = store.call(worst)
    assert call is not None
    own, other = call.record.agent_id or "", "nobody"
    assert dossier(store, worst, collector(own)).found == ()
    with pytest.raises(Refused):
        read_dossier(store, worst, actor=collector(other))
    listed = list_calls(store, actor=collector(own))
    assert listed
    assert {line.agent_id for line in listed} == {own}
    assert list_calls(store, Filter(agent_id=own), actor=collector(other)) == []


def test_other_calls_of_the_debtor_stand_beside(store: Store) -> None:
    with sqlite3.connect(store.path) as sql:
        sql.execute("update calls set debtor_id = 'D1' where call_id in (select call_id from scorecards limit 3)")
    sql.close()
    first, *rest = [line.call_id for line in list_calls(store, actor=REVIEWER, text="D1")]
    assert [line.call_id for line in dossier(store, first).others] == rest
    assert len(rest) == 2


def test_calls_are_found_by_id_debtor_collector_and_name(store: Store) -> None:
    call = next(call.record for call in store.calls() if call.record.agent_name and call.record.debtor_id)
    for text in (call.call_id, call.call_id[:-1], call.debtor_id, call.agent_id, call.agent_name, f" {call.call_id} "):
        assert call.call_id in {line.call_id for line in list_calls(store, actor=REVIEWER, text=text or "")}
    assert list_calls(store, actor=REVIEWER, text="D' or 1=1") == []


def test_the_list_keeps_to_the_filters_newest_first(store: Store) -> None:
    lines = list_calls(store, Filter(team="一组"), actor=REVIEWER)
    assert {line.team for line in lines} == {"一组"}
    times = [line.started_at for line in lines if line.started_at]
    assert times == sorted(times, reverse=True)
    day = times[len(times) // 2].date()
    one_day = list_calls(store, Filter(since=day, until=day), actor=REVIEWER)
    assert one_day
    assert {line.started_at.date() for line in one_day if line.started_at} == {day}


def test_only_calls_with_findings_that_still_count(store: Store, worst: str) -> None:
    listed = list_calls(store, actor=REVIEWER, with_findings=True)
    assert {line.call_id for line in listed} == {
        call.record.call_id
        for call in store.calls()
        if any(item.state is not State.DISMISSED for item in items_of_call(store, call.record.call_id))
    }
    for item in items_of_call(store, worst):
        judge(store, item, Choice(kind=Kind.DISMISS, reason="context"), actor=REVIEWER, policy=Policy())
    assert worst not in {line.call_id for line in list_calls(store, actor=REVIEWER, with_findings=True)}
    confirmed = list_calls(store, actor=TRAINER, with_findings=True)
    assert worst not in {line.call_id for line in confirmed}
    assert all(set(line.items) <= {"confirmed", "partial", "appealed"} for line in confirmed)
