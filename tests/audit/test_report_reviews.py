"""Reports beside people: what reviewers said, what is private, who may have one, what the ledger keeps."""

from __future__ import annotations

import io
import stat
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from audit import ledger
from audit.access import LOCAL, Actor, Refused, Role
from audit.figures import figures
from audit.report import Asked, make_report, read_report, write_report
from audit.review import Choice, Missed, Policy, add_violation, judge
from audit.store import Filter, Store, queue
from audit.store.verdicts import Kind
from audit.unmask import NoReason

OFFICER = Actor(name="合规", role=Role.OFFICER)
REVIEWER = Actor(name="质检甲", role=Role.REVIEWER)
TRAINER = Actor(name="培训", role=Role.TRAINER)


def judged(store: Store, rule_id: str, kind: Kind, reason: str | None = None) -> None:
    for item in queue.items_of_call(store, "c-threat"):
        if item.rule_id == rule_id:
            judge(store, item, Choice(kind=kind, reason=reason), actor=REVIEWER, policy=Policy())


def sheets(made: bytes) -> openpyxl.Workbook:
    return openpyxl.load_workbook(io.BytesIO(made))


def rows(made: bytes, sheet: str) -> list[dict[str, Any]]:
    heading, *body = sheets(made)[sheet].iter_rows(values_only=True)
    return [dict(zip(map(str, heading), row, strict=True)) for row in body]


def test_verdicts_stand_beside_what_the_machine_said(batch: Store) -> None:
    judged(batch, "menace-family", Kind.CONFIRM)
    judged(batch, "insult", Kind.DISMISS, "context")
    made = make_report(batch, ".xlsx", actor=OFFICER)
    found = {row["规则"]: row for row in rows(made, "问题明细") if row["通话编号"] == "c-threat"}
    assert (found["menace-family"]["判定"], found["menace-family"]["人工结论"]) == ("违规", "已确认")
    assert (found["insult"]["判定"], found["insult"]["人工结论"]) == ("存疑", "已驳回")
    assert (found["menace-family"]["复核人"], found["no-recording-notice"]["人工结论"]) == ("质检甲", "未复核")
    assert found["wants-to-complain"]["人工结论"] is None  # nobody judges what a customer says of himself


def test_confirmed_and_dismissed_have_their_own_counts(batch: Store) -> None:
    judged(batch, "menace-family", Kind.CONFIRM)
    judged(batch, "insult", Kind.DISMISS, "context")
    got = figures(read_report(batch))
    assert (got.violations, got.confirmed.events, got.with_confirmed.hits, got.dismissed) == (4, 1, 1, 1)
    assert got.open == 3
    assert {line.key: line.confirmed.events for line in got.lines} == {"A01": 0, "A02": 1, "A03": 0}


def test_what_people_added_is_in_the_report_and_no_finding_of_the_machine(batch: Store) -> None:
    missed = Missed(turn=0, start=0, end=4, category="harassment")
    add_violation(batch, "c-threat", missed, actor=REVIEWER, policy=Policy())
    before = figures(read_report(batch))
    (row,) = [row for row in rows(make_report(batch, ".xlsx", actor=OFFICER), "问题明细") if row["判定"] == "人工补充"]
    assert (row["原话"], row["人工结论"], row["类别"]) == ("你到底还", "已确认", "骚扰纠缠")
    assert (before.violations, before.confirmed.events) == (4, 1)


def test_a_category_is_asked_for_alone_and_the_calls_stay_the_sample(batch: Store) -> None:
    data = read_report(batch, Asked(category="threat"))
    assert {issue.rule.category for call in data.calls for issue in call.issues} == {"threat"}
    assert len(data.calls) == 3
    assert data.selection == ("类别 威胁恐吓",)


@pytest.mark.parametrize("suffix", [".html", ".xlsx"])
def test_names_are_covered_unless_asked_for_with_the_right(batch: Store, suffix: str) -> None:
    def text(made: bytes) -> str:
        if suffix == ".html":
            return made.decode()
        return "".join(str(cell) for sheet in sheets(made) for row in sheet.iter_rows(values_only=True) for cell in row)

    assert "赵强" not in text(make_report(batch, suffix, actor=OFFICER))
    assert "赵强" in text(make_report(batch, suffix, Asked(unmasked=True, reason="监管调阅"), actor=OFFICER))
    with pytest.raises(Refused):
        make_report(batch, suffix, Asked(unmasked=True, reason="监管调阅"), actor=REVIEWER)


def test_an_unmasked_report_needs_a_reason_which_stands_in_the_ledger(batch: Store) -> None:
    with pytest.raises(NoReason):
        make_report(batch, ".xlsx", Asked(unmasked=True), actor=OFFICER)
    make_report(batch, ".xlsx", Asked(unmasked=True, reason="监管调阅，文号 12"), actor=OFFICER)
    assert [entry.data["reason"] for entry in ledger.recent(batch, kind=ledger.Kind.UNMASK)] == ["监管调阅，文号 12"]


def test_trainers_get_what_is_confirmed_and_no_complaints(batch: Store) -> None:
    judged(batch, "menace-family", Kind.CONFIRM)
    made = make_report(batch, ".xlsx", actor=TRAINER)
    assert [row["规则"] for row in rows(made, "问题明细")] == ["menace-family"]
    assert "投诉" not in sheets(made).sheetnames


def test_collectors_get_none_and_no_entry_is_written(batch: Store) -> None:
    with pytest.raises(Refused):
        make_report(batch, ".xlsx", actor=Actor(name="赵强", role=Role.COLLECTOR, agent_id="A02"))
    assert ledger.recent(batch, kind=ledger.Kind.EXPORT) == []


def test_each_report_stands_in_the_ledger_with_what_was_asked(batch: Store) -> None:
    make_report(batch, ".html", Asked(which=Filter(team="二组"), category="threat"), actor=OFFICER)
    (entry,) = ledger.recent(batch, kind=ledger.Kind.EXPORT)
    assert (entry.actor, entry.subject) == ("合规", "report")
    assert entry.data == {
        "form": "html", "calls": 1, "unmasked": False, "by": "collector", "team": "二组", "category": "threat",
    }  # fmt: skip


def test_a_report_is_its_owners_alone_even_where_an_open_file_stood(batch: Store, tmp_path: Path) -> None:
    for name in ("r.html", "r.xlsx"):
        (tmp_path / name).touch(mode=0o644)
        write_report(batch, tmp_path / name, actor=LOCAL)
        assert stat.S_IMODE((tmp_path / name).stat().st_mode) == 0o600


def test_progress_ends_with_all_calls(batch: Store) -> None:
    heard: list[tuple[int, int]] = []
    make_report(batch, ".xlsx", actor=OFFICER, notify=lambda done, of: heard.append((done, of)))
    assert heard == [(1, 3), (2, 3), (3, 3)]
