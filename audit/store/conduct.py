"""What several calls break together, kept with the time when it was first found; and whose calls wait for judgement.

A subject is whom rules across calls count by: a debtor (or case), a number, a callee. Triggers of the store note in
`conduct_due` each subject of which a call or attempt came, went or changed.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any

from audit.store.connection import Connection, now, packed
from audit.store.filters import EVERY_CALL, Filter, where
from rules.model import Result, Severity

_SOME = "(select value from json_each(?1))"


@dataclass(frozen=True, slots=True, kw_only=True)
class Contact:
    """One call or attempt with a time, which is the debtor's own. `debtor`: the case where the list names no debtor;
    `person`: the number, else the callee whom the list names; `refused`: a third party asked not to be called again.
    """

    call_id: str
    at: datetime
    debtor: str | None
    number: str | None
    person: str | None
    relation: str | None
    direction: str | None
    answered: bool
    duration_ms: int | None
    refused: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptConduct:
    """What several calls break together. `subject` is the number or the debtor; `calls` are the ids that show it, in
    order of time, never empty; `result` is unsure where the records leave open what the rule asks.
    """

    key: str
    rule_id: str
    title: str
    title_en: str
    category: str
    severity: Severity
    result: Result
    day: date
    subject: str
    calls: tuple[str, ...]
    because: str


@dataclass(frozen=True, slots=True, kw_only=True)
class NamedCall:
    """A call that a finding names; `heard`: it has a recording that was judged, not only a row in a list."""

    call_id: str
    at: datetime
    debtor: str | None
    agent_id: str | None
    agent_name: str | None
    relation: str | None
    answered: bool
    duration_ms: int | None
    heard: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Grounds:
    """What there is to judge by: any call or attempt, times, debtors, numbers; when all was judged last, and whether
    anything has changed since.
    """

    calls: bool
    times: bool
    debtors: bool
    numbers: bool
    judged_at: datetime | None
    waits: bool


# whose calls are to be judged


def begin_anew(store: Connection, basis: str) -> None:
    """Note that everybody's calls are to be judged, by these rules and limits."""
    # Read before: no writer waits for that, and whoever comes meanwhile is noted by the triggers.
    everybody = store.all(
        "select debtor as subject from contacts union select person from contacts"
        " union select subject from conduct_findings"
    )
    subjects = [(row["subject"],) for row in everybody if row["subject"] is not None]
    with store.writing():
        store.sql.execute("delete from conduct_judged")
        store.insert("conduct_judged", {"basis": basis, "at": now()})
        store.sql.executemany("insert into conduct_due values (?) on conflict do nothing", subjects)


def basis(store: Connection) -> str | None:
    """The rules and limits by which what is kept was judged; None where nothing ever was."""
    row = store.one("select basis from conduct_judged")
    return None if row is None else row["basis"]


def due(store: Connection, *, limit: int) -> list[str]:
    """Subjects whose calls are to be judged, so many of them."""
    return [row["subject"] for row in store.all("select subject from conduct_due order by subject limit ?", [limit])]


def contacts(store: Connection, subjects: Collection[str]) -> Iterator[Contact]:
    """All calls and attempts with any of these subjects."""
    rows = store.all(
        "select call_id, started_at, debtor, number, person, callee_relation, direction, answered, duration_ms, refused"
        f" from contacts where debtor in {_SOME} or person in {_SOME}",
        [packed(list(subjects))],
    )
    for row in rows:
        yield Contact(
            call_id=row["call_id"],
            at=datetime.fromisoformat(row["started_at"]),
            debtor=row["debtor"],
            number=row["number"],
            person=row["person"],
            relation=row["callee_relation"],
            direction=row["direction"],
            answered=bool(row["answered"]),
            duration_ms=row["duration_ms"],
            refused=bool(row["refused"]),
        )


# what was found


def replace_of(store: Connection, subjects: Collection[str], findings: Iterable[KeptConduct]) -> tuple[int, int]:
    """Make these what is kept of the subjects, which are no longer due; returns how many are new and how many gone.

    What stays keeps the time when it was first found.
    """
    with store.writing():
        asked = [packed(list(subjects))]
        before = {row["key"] for row in store.all(f"select key from conduct_findings where subject in {_SOME}", asked)}
        found = {finding.key: _row(finding) for finding in findings}
        for key in before - found.keys():
            store.sql.execute("delete from conduct_findings where key = ?", [key])
        for key, row in found.items():
            store.upsert("conduct_findings", "key", row if key in before else {**row, "found_at": now()})
        store.sql.execute(f"delete from conduct_due where subject in {_SOME}", asked)
    return len(found.keys() - before), len(before - found.keys())


def end(store: Connection) -> int:
    """Note that all is judged; returns how many findings are kept."""
    with store.writing():
        store.sql.execute("update conduct_judged set at = ?", [now()])
    return int((store.one("select count(*) as n from conduct_findings") or {})["n"])


def kept(
    store: Connection, which: Filter = EVERY_CALL, *, rule_id: str | None = None, latest: int | None = None
) -> list[KeptConduct]:
    """Findings of these days, and of a team, collector or product what one of its calls shows; in order of day, rule
    and subject, or only so many of the latest, the last first.
    """
    clause, values = _asked(which, rule_id)
    order = "day, rule_id, subject, key" if latest is None else "day desc, rule_id, subject, key limit ?"
    rows = store.all(
        f"select * from conduct_findings where {clause} order by {order}",
        values if latest is None else [*values, latest],
    )
    return [_finding(row) for row in rows]


def counts(store: Connection, which: Filter) -> dict[tuple[str, Result], int]:
    """How many findings of each rule and result `kept` finds."""
    clause, values = _asked(which, None)
    sql = f"select rule_id, result, count(*) as n from conduct_findings where {clause} group by 1, 2"
    return {(row["rule_id"], Result(row["result"])): row["n"] for row in store.all(sql, values)}


def named_calls(store: Connection, finding: KeptConduct) -> list[NamedCall]:
    """The calls and attempts that a finding names, in their order."""
    sql = (
        "select contacts.* from json_each(?) named join contacts on contacts.call_id = named.value"
        " order by named.key, heard desc"
    )
    return [
        NamedCall(
            **{name: row[name] for name in ("call_id", "debtor", "agent_id", "agent_name", "duration_ms")},
            at=datetime.fromisoformat(row["started_at"]),
            relation=row["callee_relation"],
            answered=bool(row["answered"]),
            heard=bool(row["heard"]),
        )
        for row in store.all(sql, [packed(list(finding.calls))])
    ]


def grounds(store: Connection) -> Grounds:
    """What there is to judge by, and how far it is judged."""
    asked = {
        "calls": "scorecards limit 1) or exists (select 1 from attempts",
        "times": "contacts",
        "debtors": "contacts where debtor > ''",  # a range, so that the index is asked and not every call
        "numbers": "contacts where number is not null and person > ''",
        "waits": "conduct_due",
    }
    found = store.one(f"select {', '.join(f'exists (select 1 from {of}) as {name}' for name, of in asked.items())}")
    judged = store.one("select at from conduct_judged")
    return Grounds(
        **{name: bool(value) for name, value in (found or {}).items()},
        judged_at=None if judged is None else datetime.fromisoformat(judged["at"]),
    )


def forget(store: Connection, call_ids: Iterable[str]) -> None:
    """Remove what names a call or attempt that is deleted, and subjects that no call or attempt has any more."""
    for call_id in call_ids:
        store.sql.execute(
            "delete from conduct_findings where exists (select 1 from json_each(calls) where value = ?)", [call_id]
        )
    store.sql.execute(
        "delete from conduct_due where not exists (select 1 from contacts where debtor = subject)"
        " and not exists (select 1 from contacts where person = subject)"
    )


def _asked(which: Filter, rule_id: str | None) -> tuple[str, list[Any]]:
    days = [(f"day {than} ?", day.isoformat()) for than, day in ((">=", which.since), ("<=", which.until)) if day]
    if rule_id is not None:
        days.append(("rule_id = ?", rule_id))
    clause, values = where(replace(which, since=None, until=None), day="")
    by_whom = (
        "exists (select 1 from json_each(conduct_findings.calls) named"
        f" join contacts on contacts.call_id = named.value where {clause})"
    )
    clauses = [*(asked for asked, _ in days), *([by_whom] if values else [])]
    return " and ".join(clauses) or "true", [*(value for _, value in days), *values]


def _finding(row: dict[str, Any]) -> KeptConduct:
    return KeptConduct(
        **{name: row[name] for name in _PLAIN},
        severity=Severity(row["severity"]),
        result=Result(row["result"]),
        day=date.fromisoformat(row["day"]),
        calls=tuple(json.loads(row["calls"])),
    )


_PLAIN = ("key", "rule_id", "title", "title_en", "category", "subject", "because")


def _row(finding: KeptConduct) -> dict[str, object]:
    return {
        **{name: getattr(finding, name) for name in _PLAIN},
        "severity": finding.severity.value,
        "result": finding.result.value,
        "day": finding.day.isoformat(),
        "calls": packed(list(finding.calls)),
    }
