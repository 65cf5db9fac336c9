"""What several calls break together, as the last judging left it; what stays keeps the time when it was first found."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from audit.store.connection import Connection, now, packed
from rules.model import Result, Severity


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptConduct:
    """A finding across calls. `subject` is the number or the debtor, `calls` their ids in order of time."""

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


def replace_all(store: Connection, findings: Iterable[KeptConduct]) -> tuple[int, int]:
    """Make these what is kept; returns how many are new and how many are gone. The same again changes nothing."""
    with store.writing():
        before = {row["key"] for row in store.all("select key from conduct_findings")}
        found = {finding.key: _row(finding) for finding in findings}
        for key in before - found.keys():
            store.sql.execute("delete from conduct_findings where key = ?", [key])
        for row in found.values():
            store.upsert("conduct_findings", "key", row)
        store.sql.execute("update conduct_findings set found_at = ? where found_at is null", [now()])
    return len(found.keys() - before), len(before - found.keys())


def kept(store: Connection, *, since: date | None = None, until: date | None = None) -> list[KeptConduct]:
    """Findings of these days, both included, in order of day, rule and subject."""
    rows = store.all(
        "select * from conduct_findings where day >= ? and day <= ? order by day, rule_id, subject, key",
        ["" if since is None else since.isoformat(), "9999" if until is None else until.isoformat()],
    )
    return [
        KeptConduct(
            key=row["key"],
            rule_id=row["rule_id"],
            title=row["title"],
            title_en=row["title_en"],
            category=row["category"],
            severity=Severity(row["severity"]),
            result=Result(row["result"]),
            day=date.fromisoformat(row["day"]),
            subject=row["subject"],
            calls=tuple(json.loads(row["calls"])),
            because=row["because"],
        )
        for row in rows
    ]


def forget(store: Connection, call_ids: Iterable[str]) -> None:
    """Remove what names a call or attempt that is deleted."""
    for call_id in call_ids:
        store.sql.execute(
            "delete from conduct_findings where exists (select 1 from json_each(calls) where value = ?)", [call_id]
        )


def _row(finding: KeptConduct) -> dict[str, object]:
    names = ("key", "rule_id", "title", "title_en", "category", "subject", "because")
    return {
        **{name: getattr(finding, name) for name in names},
        "severity": finding.severity.value,
        "result": finding.result.value,
        "day": finding.day.isoformat(),
        "calls": packed(list(finding.calls)),
    }
