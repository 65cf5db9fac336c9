"""Calls whose time is over: seen first, deleted whole, kept where something keeps them, with a record of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pytest

from audit import ledger, retention
from audit.access import LOCAL, Actor, Refused, Role
from audit.calls import CallRecord
from audit.config import CHINA
from audit.review import Choice, Policy, judge
from audit.store import Store
from audit.store.queue import items_of_call
from audit.store.tallies import differences
from audit.store.verdicts import Kind, of_call

TODAY = date(2026, 11, 22)
PERIODS = retention.Periods(days={"default": 365, "现金贷": 30}, today=TODAY)
REVIEWER = Actor(name="小周", role=Role.REVIEWER)


@pytest.fixture
def store(stored: Callable[..., Store], threat_call: Any, good_call: Any) -> Store:
    """c-threat: a cash loan of two months ago, judged; c-good: a card of two months ago."""
    store = stored(threat_call, good_call)
    shown = next(item for item in items_of_call(store, "c-threat") if item.rule_id == "menace-family")
    judge(store, shown, Choice(kind=Kind.CONFIRM, comment="听到女儿的学校"), actor=REVIEWER, policy=Policy())
    for call_id, product in (("c-threat", "现金贷"), ("c-good", "信用卡")):
        _redate(store, call_id, product)
    return store


def test_the_plan_names_what_is_due_and_changes_nothing(store: Store) -> None:
    (due,) = retention.plan(store, PERIODS, actor=LOCAL)
    assert (due.product, due.days, due.count, due.held, due.oldest) == ("现金贷", 30, 1, 0, "2026-09-20")
    assert store.call("c-threat") is not None


def test_deletion_leaves_no_word_and_a_record(store: Store) -> None:
    call = store.call("c-threat")
    assert call is not None
    done = retention.apply(store, PERIODS, actor=LOCAL)
    assert (done.calls, done.outlived, done.files, done.left) == (1, 0, 0, ())
    assert store.call("c-threat") is None
    assert store.transcript(call.recording) is None
    assert [(v.kind, v.comment, v.finding) for v in of_call(store, call.recording)] == [(Kind.CONFIRM, None, None)]
    (entry,) = ledger.recent(store, kind=ledger.Kind.DELETE)
    assert entry.data == {"calls": ["c-threat"], "recordings": [call.recording]}
    assert ledger.verify(store) is None
    assert differences(store) == []
    assert store.call("c-good") is not None
    assert call.record.path is not None
    assert call.record.path.exists()


def test_no_page_of_the_file_still_has_the_words(store: Store) -> None:
    retention.apply(store, PERIODS, actor=LOCAL)
    for part in ("", "-wal"):
        file = Path(f"{store.path}{part}")
        content = file.read_bytes() if file.exists() else b""
        assert "实验小学".encode() not in content
        assert "女儿的学校".encode() not in content


def test_recordings_go_too_where_asked(store: Store) -> None:
    path = store.call("c-threat").record.path  # type: ignore[union-attr]
    done = retention.apply(store, PERIODS, actor=LOCAL, recordings=True)
    assert done.files == 1
    assert not path.exists()  # type: ignore[union-attr]


def test_a_recording_that_stays_is_told_and_stands_in_the_ledger(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    call = store.call("c-threat")
    assert call is not None

    def busy(path: Path, missing_ok: bool = False) -> None:
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(Path, "unlink", busy)
    done = retention.apply(store, PERIODS, actor=LOCAL, recordings=True)
    assert (done.files, len(done.left)) == (0, 1)
    files, _ = ledger.recent(store, kind=ledger.Kind.DELETE)
    assert files.data == {"files_removed": [], "files_left": [call.recording]}


def test_what_somebody_still_reads_is_told(store: Store) -> None:
    with Store.read(store.path) as reader:
        reader.sql.execute("begin")
        list(reader.all("select count(*) as n from calls"))
        done = retention.apply(store, PERIODS, actor=LOCAL)
    assert any("-wal" in reason for reason in done.left)


@pytest.mark.parametrize(("kind", "value"), [("call", "c-threat"), ("debtor", "D1"), ("case", "K1")])
def test_a_hold_keeps_a_call_until_it_is_released(store: Store, kind: Any, value: str) -> None:
    number = retention.hold(store, kind, value, "2026民初118号", actor=LOCAL)
    assert retention.plan(store, PERIODS, actor=LOCAL)[0].held == 1
    assert retention.apply(store, PERIODS, actor=LOCAL).calls == 0
    retention.release(store, number, actor=LOCAL)
    assert retention.holds(store, actor=LOCAL) == []
    assert retention.apply(store, PERIODS, actor=LOCAL).calls == 1


def test_a_hold_needs_a_reason_and_is_released_once(store: Store) -> None:
    with pytest.raises(retention.BadHold, match="理由"):
        retention.hold(store, "call", "c-threat", "  ", actor=LOCAL)
    with pytest.raises(retention.BadHold, match="没有第 7 号"):
        retention.release(store, 7, actor=LOCAL)


@pytest.mark.parametrize(("kind", "value"), [("call", "c-treat"), ("call", "K1"), ("case", "D1"), ("debtor", "d1")])
def test_an_id_that_nothing_bears_is_not_held(store: Store, kind: Any, value: str) -> None:
    with pytest.raises(retention.BadHold, match=f"没有编号为 {value} 的"):
        retention.hold(store, kind, value, "2026民初118号", actor=LOCAL)
    assert retention.holds(store, actor=LOCAL) == []
    assert ledger.recent(store, kind=ledger.Kind.HOLD) == []


def test_a_hold_on_a_case_without_a_call_covers_the_calls_that_come(store: Store) -> None:
    keep_beside_calls(store)
    assert retention.held_now(store, "debtor", "D1") == (2, 0)
    assert retention.held_now(store, "call", "a-old") == (0, 1)
    retention.hold(store, "case", "K-open", "2026民初118号", actor=LOCAL)
    assert retention.held_now(store, "case", "K-open") == (0, 0)
    record: CallRecord = store.call("c-threat").record  # type: ignore[union-attr]
    store.add_records([replace(record, case_id="K-open")])
    assert retention.held_now(store, "case", "K-open") == (1, 0)
    assert retention.apply(store, PERIODS, actor=LOCAL).calls == 0


def test_a_hold_on_a_debtor_covers_calls_that_name_the_case_alone(store: Store) -> None:
    with store.writing():
        store.insert("cases", {"case_id": "K1", "debtor_id": "D1", "closed_on": None})
    record: CallRecord = store.call("c-threat").record  # type: ignore[union-attr]
    store.add_records([replace(record, debtor_id=None)])
    retention.hold(store, "debtor", "D1", "2026民初118号", actor=LOCAL)
    assert retention.held_now(store, "debtor", "D1") == (2, 0)
    assert retention.apply(store, PERIODS, actor=LOCAL).calls == 0


def test_a_slip_in_an_id_is_told_at_the_command(store: Store, callaudit: Callable[..., Any]) -> None:
    def run(*words: str) -> Any:
        return callaudit("retention", *words, "--reason", "2026民初118号", "--db", store.path)

    for wrong in (("hold", "call", "typo"), ("forget", "typo"), ("forget", "typo", "--yes")):
        done = run(*wrong)
        assert (done.returncode, done.stdout) == (2, "")
        assert "没有编号为 typo 的" in done.stderr
    done = run("hold", "debtor", "D1")
    assert (done.returncode, done.stderr.splitlines()[0]) == (0, "已保留，编号 1：现有通话 2 通、拨打记录 0 条")


def test_without_a_period_nothing_is_ever_due(store: Store) -> None:
    assert retention.plan(store, retention.Periods(days={"信用卡": 9999}, today=TODAY), actor=LOCAL) == []


OLD, RECENT = "2024-01-05", "2026-11-01"


def keep_beside_calls(store: Store) -> None:
    """Attempts, cases and complaints, each old and recent; an old case still open, and one that a call is about."""
    at = datetime(2024, 1, 5, 10, tzinfo=CHINA)
    records = [CallRecord(call_id="a-old", started_at=at, debtor_id="D7", product="信用卡"), CallRecord(call_id="a-undated")]
    store.add_records([*records, CallRecord(call_id="a-new", started_at=at.replace(year=2026, month=11))])
    closed = {"K-old": OLD, "K-new": RECENT, "K-open": None, "K1": OLD}
    with store.writing():
        for case_id, day in closed.items():
            store.insert("cases", {"case_id": case_id, "debtor_id": "D7", "closed_on": day})
            store.insert("payments", {"key": case_id, "case_id": case_id, "paid_at": OLD, "fen": 100})
        for number, day in enumerate((OLD, RECENT, None), start=1):
            status = "open" if day is None else "closed"
            store.insert("complaints", _complaint(number, status=status, closed_on=day))
            store.insert("complaint_changes", _change(number))


def _complaint(number: int, **more: Any) -> dict[str, Any]:
    texts = ("channel", "complexity", "clock_from", "due_on", "created_by")
    days = ("received_at", "received_on", "created_at")
    return {"id": number, **dict.fromkeys(texts, "x"), **dict.fromkeys(days, OLD), "digest": str(number), "text": "骂我女儿", "late": 0,
            "revision": 1, "debtor_id": "D9", **more}  # fmt: skip


def _change(number: int) -> dict[str, Any]:
    return {"complaint": number, "before": "{}", "after": "骂我女儿", **dict.fromkeys(("at", "actor", "role", "what"), "x")}


def left(store: Store, table: str, column: str) -> set[Any]:
    return {row[column] for row in store.all(f"select {column} from {table}")}


BESIDE = retention.Periods(days={"default": 365}, today=TODAY, complaint_days=400)


def test_what_outlives_calls_goes_by_days_of_its_own_with_a_record(store: Store) -> None:
    keep_beside_calls(store)
    due = {(one.kind, one.count, one.held, one.oldest) for one in retention.plan(store, BESIDE, actor=LOCAL)}
    assert due == {("attempts", 1, 0, OLD), ("cases", 1, 1, OLD), ("complaints", 1, 0, OLD)}
    assert retention.apply(store, BESIDE, actor=LOCAL).outlived == 3
    assert left(store, "attempts", "call_id") == {"a-undated", "a-new"}
    assert left(store, "cases", "case_id") == left(store, "payments", "case_id") == {"K-new", "K-open", "K1"}
    assert left(store, "complaints", "id") == left(store, "complaint_changes", "complaint") == {2, 3}
    deletions = [entry.data for entry in ledger.recent(store, kind=ledger.Kind.DELETE)]
    assert sorted(map(str, deletions)) == ["{'attempts': ['a-old']}", "{'cases': ['K-old']}", "{'complaints': ['1']}"]
    assert ledger.verify(store) is None


def test_what_outlives_calls_is_held_too_and_complaints_stay_without_a_period(store: Store) -> None:
    keep_beside_calls(store)
    retention.hold(store, "debtor", "D7", "2026民初118号", actor=LOCAL)
    periods = retention.Periods(days={"default": 365}, today=TODAY)
    assert {(one.kind, one.count, one.held) for one in retention.plan(store, periods, actor=LOCAL)} == {
        ("attempts", 0, 1), ("cases", 0, 2),
    }  # fmt: skip
    assert retention.apply(store, periods, actor=LOCAL).outlived == 0


def test_a_person_is_forgotten_whatever_the_age_and_what_is_open_stays(store: Store) -> None:
    keep_beside_calls(store)
    with store.writing():  # a complaint that names the case alone
        store.insert("complaints", _complaint(9, status="closed", closed_on=RECENT, debtor_id=None, case_id="K-new"))
    asked = "本人申请，电话13812345678"
    done = retention.apply(store, retention.Person(debtor="D1", reason=asked), actor=LOCAL)
    assert done.calls == 2
    assert list(store.calls()) == []
    person = retention.Person(debtor="D7", reason=asked)
    assert retention.apply(store, person, actor=LOCAL).outlived == 5
    assert left(store, "cases", "case_id") == {"K-open"}
    assert left(store, "complaints", "id") == {1, 2, 3}
    (rest,) = retention.plan(store, person, actor=LOCAL)
    assert (rest.kind, rest.count, rest.held) == ("cases", 0, 1)
    entries = ledger.recent(store, kind=ledger.Kind.DELETE)
    assert {entry.subject for entry in entries} == {"D1", "D7"}
    assert "13812345678" not in str([entry.data for entry in entries])
    with pytest.raises(retention.BadHold, match="理由"):
        retention.apply(store, retention.Person(debtor="D7", reason=" "), actor=LOCAL)


def test_a_recording_behind_a_link_goes_with_the_link(store: Store, tmp_path: Path) -> None:
    path = store.call("c-threat").record.path  # type: ignore[union-attr]
    assert path is not None
    path.rename(tmp_path / "real.wav")
    path.symlink_to(tmp_path / "real.wav")
    retention.apply(store, PERIODS, actor=LOCAL, recordings=True)
    assert not path.is_symlink()
    assert not (tmp_path / "real.wav").exists()


def test_only_who_may_delete_deletes(store: Store) -> None:
    with pytest.raises(Refused):
        retention.apply(store, PERIODS, actor=REVIEWER)
    assert store.call("c-threat") is not None


def _redate(store: Store, call_id: str, product: str) -> None:
    record: CallRecord = store.call(call_id).record  # type: ignore[union-attr]
    day = datetime.fromisoformat("2026-09-20T10:00:00+08:00")
    store.add_records([replace(record, started_at=day, product=product, debtor_id="D1", case_id="K1")])
