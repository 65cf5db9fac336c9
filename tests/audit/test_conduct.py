"""Conduct across calls, with hand-made records: both sides of each limit, midnight, time zones."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from audit import retention
from audit.access import LOCAL
from audit.calls import CallRecord
from audit.cli import cli
from audit.conduct import ATTEMPTS, CALLS, REFUSED, THIRD_PARTY, ConductFinding, Contact, judge_conduct, keep_conduct
from audit.report import Asked, make_report, read_report
from audit.store import Filter, Store
from audit.store.conduct import kept
from rules.load import load_rules
from rules.model import Result

MORNING = "2026-11-19T09:00:00+08:00"


def contact(n: int, at: str = MORNING, *, minutes: int = 0, **known: Any) -> Contact:
    number, refused = known.pop("number", "13800000000"), known.pop("refused", False)
    started_at = datetime.fromisoformat(at) + timedelta(minutes=minutes)
    fields: dict[str, Any] = {"call_id": f"c{n}", "started_at": started_at, "debtor_id": "D", "callee_relation": "self"}
    record = CallRecord(**fields | known)
    return Contact(record=record, number=number, refused=refused)


def unanswered(count: int, **known: Any) -> list[Contact]:
    return [contact(n, minutes=10 * n, **{"answered": False} | known) for n in range(count)]


def answered(count: int, **known: Any) -> list[Contact]:
    return [contact(n, minutes=10 * n, **{"answered": True, "duration_ms": 60_000} | known) for n in range(count)]


def found(contacts: list[Contact], rule: str) -> list[ConductFinding]:
    return [finding for finding in judge_conduct(contacts, load_rules()) if finding.rule_id == rule]


@pytest.mark.parametrize(("count", "findings"), [(6, 0), (7, 1)])
def test_unanswered_attempts_on_one_number(count: int, findings: int) -> None:
    seen = found(unanswered(count), ATTEMPTS)
    assert len(seen) == findings
    for finding in seen:
        assert finding.result is Result.FAIL
        assert finding.calls == tuple(f"c{n}" for n in range(7))
        assert all(call_id in finding.because for call_id in finding.calls)


def test_attempts_on_two_numbers_are_counted_apart() -> None:
    assert not found([*unanswered(4), *(replace(c, number="13900000000") for c in unanswered(4))], ATTEMPTS)


def test_attempts_without_numbers_are_unsure() -> None:
    (finding,) = found(unanswered(7, number=None), ATTEMPTS)
    assert finding.result is Result.UNSURE
    assert finding.subject == "D"


def test_midnight_begins_a_new_day() -> None:
    evening = [contact(n, "2026-11-19T20:00:00+08:00", minutes=n, answered=False) for n in range(6)]
    after = contact(9, "2026-11-20T00:00:00+08:00", answered=False)
    assert not found([*evening, after], ATTEMPTS)
    before = contact(9, "2026-11-19T23:59:59+08:00", answered=False)
    assert len(found([*evening, before], ATTEMPTS)) == 1


def test_the_day_is_the_debtors_own() -> None:
    """00:30 in Beijing is 16:30 UTC of the day before; the offset of the record decides."""
    here = [contact(n, "2026-11-20T00:30:00+08:00", minutes=n, answered=False) for n in range(7)]
    (finding,) = found(here, ATTEMPTS)
    assert finding.day.isoformat() == "2026-11-20"


@pytest.mark.parametrize(("count", "findings"), [(3, 0), (4, 1)])
def test_effective_calls_with_one_debtor(count: int, findings: int) -> None:
    seen = found(answered(count), CALLS)
    assert len(seen) == findings
    assert all(finding.result is Result.FAIL for finding in seen)


def test_calls_on_several_numbers_of_one_debtor_add_up() -> None:
    calls = [replace(c, number=f"1380000000{n}") for n, c in enumerate(answered(4))]
    assert len(found(calls, CALLS)) == 1


@pytest.mark.parametrize(
    "known",
    [
        {"duration_ms": 14_999},  # too short to be effective
        {"callee_relation": "contact"},  # not with the debtor
        {"direction": "inbound"},  # the debtor called
        {"debtor_id": None},  # nobody knows whose calls these are
        {"started_at": None},
    ],
)
def test_calls_that_do_not_count(known: dict[str, Any]) -> None:
    assert not found(answered(4, **known), CALLS)


def test_calls_to_unknown_persons_are_unsure() -> None:
    (finding,) = found(answered(4, callee_relation=None), CALLS)
    assert finding.result is Result.UNSURE


def test_a_recording_shows_that_somebody_answered() -> None:
    assert found(answered(4, answered=None, path=Path("a.wav")), CALLS)


THIRD: dict[str, Any] = {"callee_relation": "contact", "answered": True, "number": "13900000000"}


@pytest.mark.parametrize(("tries", "findings"), [(2, 1), (3, 0)])
def test_third_party_only_after_vain_attempts(tries: int, findings: int) -> None:
    next_day = contact(90, "2026-11-20T09:00:00+08:00", **THIRD)
    assert len(found([*unanswered(tries), next_day], THIRD_PARTY)) == findings


def test_third_party_not_on_the_same_day() -> None:
    assert len(found([*unanswered(3), contact(90, minutes=300, **THIRD)], THIRD_PARTY)) == 1


def test_an_answer_by_the_debtor_starts_the_count_anew() -> None:
    spoke = contact(80, minutes=200, answered=True)
    assert len(found([*unanswered(3), spoke, contact(90, "2026-11-20T09:00:00+08:00", **THIRD)], THIRD_PARTY)) == 1


def test_third_party_is_unsure_where_the_list_holds_no_call_to_the_debtor() -> None:
    (finding,) = found([contact(90, **THIRD)], THIRD_PARTY)
    assert finding.result is Result.UNSURE


def test_a_third_party_who_refused_is_not_called_again() -> None:
    refusal = contact(1, **THIRD, refused=True)
    again = contact(2, "2026-12-01T09:00:00+08:00", **THIRD)
    other = contact(3, "2026-12-01T09:00:00+08:00", **THIRD | {"number": "13700000000"})
    (finding,) = found([again, refusal, other], REFUSED)
    assert finding.calls == ("c1", "c2")
    assert finding.day.isoformat() == "2026-12-01"


def test_the_refusing_call_itself_and_the_debtor_are_not_flagged() -> None:
    assert not found([contact(1, **THIRD), contact(2, **THIRD, minutes=9, refused=True)], REFUSED)
    assert not found([contact(1, refused=True), contact(2, minutes=9)], REFUSED)


def test_from_the_call_list_to_the_table(tmp_path: Path) -> None:
    """Seven attempts in calls.csv, imported and judged by the command."""
    rows = [f"c{n},,2026-11-19 09:0{n}:00,否,D,self,13800000000" for n in range(7)]
    header = "call_id,recording,started_at,answered,debtor_id,callee_relation,phone"
    (tmp_path / "calls.csv").write_text("\n".join([header, *rows]), "utf-8")
    db = ["--db", str(tmp_path / "a.db")]
    run = CliRunner()
    assert run.invoke(cli, ["calls", "import", str(tmp_path / "calls.csv"), *db]).exit_code == 0
    told = run.invoke(cli, ["conduct", "--json", *db])
    assert told.exit_code == 0
    (finding,) = [json.loads(line) for line in told.stdout.splitlines()]
    assert (finding["rule"], finding["outcome"], finding["subject"]) == (ATTEMPTS, "fail", "13800000000")
    assert len(finding["calls"]) == 7


NUMBER = "13812345678"


@pytest.fixture
def dialled(tmp_path: Path) -> Any:
    """A store with seven vain attempts on one number in a day, one too many."""
    with Store.open(tmp_path / "x.db") as store:
        extra = {"extra": {"number": NUMBER}, "agent_id": "A1", "team": "一组", "path": None}
        store.add_records([c.record for c in unanswered(7, **extra)])
        yield store


def test_what_is_found_is_kept_once_and_what_no_longer_holds_goes(dialled: Store) -> None:
    rules = load_rules()
    findings, new, gone = keep_conduct(dialled, rules)
    assert (len(findings), new, gone) == (1, 1, 0)
    before = dialled.one("select * from conduct_findings")
    assert keep_conduct(dialled, rules)[1:] == (0, 0)
    assert dialled.one("select * from conduct_findings") == before
    (one,) = kept(dialled)
    assert (one.rule_id, one.subject, one.calls, one.because) == (ATTEMPTS, NUMBER, findings[0].calls, findings[0].because)
    assert kept(dialled, until=date(2026, 11, 18)) == []
    dialled.add_records([unanswered(8, extra={"number": NUMBER}, path=None)[7].record])
    assert keep_conduct(dialled, rules)[1:] == (1, 1)
    dialled.sql.execute("delete from attempts where call_id in ('c0', 'c1')")
    assert keep_conduct(dialled, rules)[1:] == (0, 1)


def test_the_report_shows_it_with_the_number_covered(dialled: Store) -> None:
    keep_conduct(dialled, load_rules())
    page = make_report(dialled, ".html", actor=LOCAL).decode()
    assert "跨通话问题" in page
    assert "未接通拨打 7 次" in page
    assert NUMBER not in page
    assert NUMBER in make_report(dialled, ".html", Asked(unmasked=True, reason="监管检查"), actor=LOCAL).decode()
    data = read_report(dialled, Asked(which=Filter(since=date(2026, 11, 20))))
    assert data.conduct == ()


def test_deletion_takes_what_names_the_attempt(dialled: Store) -> None:
    keep_conduct(dialled, load_rules())
    retention.apply(dialled, retention.Periods(days={"default": 1}, today=date(2027, 1, 1)), actor=LOCAL)
    assert kept(dialled) == []
