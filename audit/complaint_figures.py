"""What stands around a complaint: calls that may be meant, what the machine made of them, and tables of many."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Any

from audit.access import Action, require
from audit.complaint_record import Complaint
from audit.complaints import Desk
from audit.figures import Share, wilson
from audit.score import is_signal
from audit.store import complaints as rows
from audit.store.complaints import Asked, By
from audit.store.queue import COUNTED, OPEN, items_of_call
from rules.model import Result

if TYPE_CHECKING:
    from rules.engine import Judge

LOOK_BACK = timedelta(days=90)
"""How long before a complaint the calls of its debtor are suggested; those of a collector alone only a week."""
_WEEK = timedelta(days=7)


@dataclass(frozen=True, slots=True, kw_only=True)
class Flag:
    """What a rule said of a call: `result` is fail or unsure, `places` in how many places."""

    rule_id: str
    category: str
    severity: str
    result: Result
    places: int


@dataclass(frozen=True, slots=True, kw_only=True)
class NearCall:
    """A call that a complaint is, or may be, about. `why` holds debtor, case, agent; flags are worst first."""

    call_id: str
    recording: str | None
    started_at: datetime | None
    agent_id: str | None
    agent_name: str | None
    duration_ms: int | None
    score: int | None
    why: tuple[str, ...]
    flags: tuple[Flag, ...]

    def flagged_as(self, category: str | None) -> bool:
        """Whether the machine found just what the complaint is about."""
        return any(flag.category == category for flag in self.flags)


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One row of a table of complaints. `founded`: upheld or partly upheld among those decided.

    `caught`: of the founded ones with a linked call, those where a linked call holds a finding.
    """

    key: str | None
    complaints: int
    open: int
    overdue: int
    late: int
    repeats: int
    upheld: int
    partial: int
    decided: int
    linked: int
    flagged: int
    founded: Share
    caught: Share


@dataclass(frozen=True, slots=True, kw_only=True)
class Due:
    """An unanswered complaint for reminders: no names, no words."""

    id: int
    channel: str
    due_on: date
    days_left: int


def linked(desk: Desk, number: int) -> list[NearCall]:
    """Calls linked to a complaint, each with what the machine found in it."""
    require(desk.actor, Action.SEE_COMPLAINTS)
    found = rows.linked_calls(desk.store, number)
    return _near(desk, found, {})


def suggest(desk: Desk, complaint: Complaint) -> list[NearCall]:
    """Calls that may be meant and are not linked yet: of the debtor or case up to the day of the complaint.

    First those for which most speaks (debtor, case, collector, the same category found), then the newest.
    """
    require(desk.actor, Action.SEE_COMPLAINTS)
    found: dict[str, Any] = {}
    why: dict[str, list[str]] = {}
    for column, value, back in _keys(complaint):
        since = complaint.received_on - back
        for row in rows.calls_near(desk.store, column, value, since=since, until=complaint.received_on):
            found[row["call_id"]] = row
            why.setdefault(row["call_id"], []).append(column)
    known = {row["call_id"] for row in rows.linked_calls(desk.store, complaint.id)}
    calls = _near(desk, [row for name, row in found.items() if name not in known], why)
    calls.sort(key=lambda call: call.started_at.isoformat() if call.started_at else "", reverse=True)
    return sorted(calls, key=lambda call: -len(call.why) - call.flagged_as(complaint.category))


def judged_today(desk: Desk, call_id: str, judge: Judge) -> tuple[Flag, ...] | None:
    """What today's rules say of a stored call, saved nowhere; None where its words are no longer kept."""
    from audit.pipeline import facts_of
    from rules.verdict import judged

    require(desk.actor, Action.SEE_COMPLAINTS)
    call = desk.store.call(call_id)
    transcript = None if call is None else desk.store.transcript(call.recording)
    if call is None or transcript is None:
        return None
    findings = judged(transcript.turns, facts_of(call.record, transcript), judge=judge).findings
    by_rule: dict[str, list[Any]] = {}
    for finding in findings:
        if is_signal(finding.category):
            continue
        by_rule.setdefault(finding.rule_id, []).append(finding)
    return _worst_first([_flag_of(found) for found in by_rule.values()])


def reviewed(desk: Desk, call_id: str) -> dict[str, int]:
    """How people judged the findings of a call: confirmed, dismissed, waiting; findings they added are in it."""
    require(desk.actor, Action.SEE_COMPLAINTS)
    counts = {"confirmed": 0, "dismissed": 0, "waiting": 0}
    for found in items_of_call(desk.store, call_id):
        kind = "confirmed" if found.state in COUNTED else "waiting" if found.state in OPEN else "dismissed"
        counts[kind] += not is_signal(found.category)
    return counts


def table(desk: Desk, asked: Asked, *, by: By | None = None) -> list[Line]:
    """Complaints counted by collector, cause, channel, category or team; one line for all where `by` is None."""
    require(desk.actor, Action.SEE_COMPLAINTS)
    return [_line(row) for row in rows.tally_complaints(desk.store, asked, by=by, today=desk.day)]


def count(desk: Desk, asked: Asked) -> int:
    """How many complaints there are of a kind."""
    require(desk.actor, Action.SEE_COMPLAINTS)
    return rows.count_complaints(desk.store, asked)


def due(desk: Desk, *, within: int) -> list[Due]:
    """Unanswered complaints whose last day has passed or comes within some days, the latest first. For alerts."""
    asked = Asked(due_by=desk.day + timedelta(days=within))
    found = ((row, date.fromisoformat(row["due_on"])) for row in rows.find_complaints(desk.store, asked))
    return [
        Due(id=row["id"], channel=row["channel"], due_on=day, days_left=(day - desk.day).days) for row, day in found
    ]


def _keys(complaint: Complaint) -> list[tuple[rows.CallColumn, str, timedelta]]:
    keys: list[tuple[rows.CallColumn, str, timedelta]] = []
    if complaint.debtor_id:
        keys.append(("debtor_id", complaint.debtor_id, LOOK_BACK))
    if complaint.case_id:
        keys.append(("case_id", complaint.case_id, LOOK_BACK))
    if complaint.agent_id:
        keys.append(("agent_id", complaint.agent_id, _WEEK))
    return keys


def _near(desk: Desk, found: Sequence[Any], why: dict[str, list[str]]) -> list[NearCall]:
    flags: dict[str, list[Flag]] = {}
    for row in rows.findings_of_calls(desk.store, [row["call_id"] for row in found]):
        values = {name: row[name] for name in ("rule_id", "category", "severity", "places")}
        flags.setdefault(row["call_id"], []).append(Flag(**values, result=Result(row["result"])))
    return [
        NearCall(
            **{n: row[n] for n in ("call_id", "recording", "agent_id", "agent_name", "duration_ms", "score")},
            started_at=None if row["started_at"] is None else datetime.fromisoformat(row["started_at"]),
            why=tuple(why.get(row["call_id"], ())),
            flags=_worst_first(flags.get(row["call_id"], [])),
        )
        for row in found
    ]


def _flag_of(found: Sequence[Any]) -> Flag:
    failed = any(finding.result is Result.FAIL for finding in found)
    return Flag(
        rule_id=found[0].rule_id,
        category=found[0].category,
        severity=found[0].severity.value,
        result=Result.FAIL if failed else Result.UNSURE,
        places=len(found),
    )


def _worst_first(flags: Sequence[Flag]) -> tuple[Flag, ...]:
    from rules.model import Severity

    order = {severity.value: severity.rank for severity in Severity}
    return tuple(sorted(flags, key=lambda f: (f.result is not Result.FAIL, -order[f.severity], f.rule_id)))


def _line(row: Any) -> Line:
    names = ("open", "overdue", "late", "repeats", "upheld", "partial", "decided", "linked", "flagged")
    counts = {name: int(row[name] or 0) for name in names}
    return Line(
        key=row["key"],
        complaints=row["n"],
        founded=wilson(counts["upheld"] + counts["partial"], counts["decided"]),
        caught=wilson(row["founded_flagged"], row["founded_linked"]),
        **counts,
    )
