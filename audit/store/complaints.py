"""Complaints, the calls linked to them, and their history."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Literal

from audit.store.calls import Store
from audit.store.connection import now, packed
from rules.model import CATEGORIES, Group

Row = dict[str, Any]
By = Literal["agent_id", "cause", "channel", "category", "team"]

CallColumn = Literal["debtor_id", "case_id", "agent_id"]
MOST_CALLS = 60
"""How many calls `calls_near` gives at most: more than anyone looks through for one complaint."""

_OPEN = "status in ('received', 'investigating')"
# What a customer says of himself is no mark against the call.
_SIGNALS = ", ".join(f"'{name}'" for name, (group, _, _) in CATEGORIES.items() if group is Group.SIGNAL)
_OF_THE_AGENT = f"findings.category not in ({_SIGNALS})"
# A name is no proof of a person: it counts where one of the two complaints says no debtor.
_REPEATS = (
    "select id from complaints other where other.id <> c.id and other.debtor_id = c.debtor_id"
    " union select id from complaints other where other.id <> c.id and other.complainant_key = c.complainant_key"
    " and (other.debtor_id is null or c.debtor_id is null)"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """Which complaints: Beijing days of receipt, both ends included; None asks nothing.

    `due_by` asks for unanswered ones whose last day is that day or earlier; `words` for a part of their text,
    complainant or ids.
    """

    since: date | None = None
    until: date | None = None
    team: str | None = None
    product: str | None = None
    agent_id: str | None = None
    statuses: tuple[str, ...] = ()
    channel: str | None = None
    category: str | None = None
    cause: str | None = None
    outcome: str | None = None
    due_by: date | None = None
    words: str = ""


EVERY_COMPLAINT = Asked()


def add_complaint(store: Store, row: Mapping[str, Any]) -> int | None:
    """Keep a new complaint; returns its number, or None where its digest is known already."""
    with store.writing():
        if store.one("select 1 as known from complaints where digest = ?", [row["digest"]]):
            return None
        return int(store.insert("complaints", row).lastrowid or 0)


def complaint(store: Store, number: int) -> Row | None:
    """One complaint."""
    return store.one("select * from complaints where id = ?", [number])


def update_complaint(store: Store, number: int, values: Mapping[str, Any], *, revision: int) -> bool:
    """Set columns where the complaint still is as the caller read it; False where someone was faster."""
    names = ", ".join(f'"{name}" = ?' for name in values)
    with store.writing():
        done = store.sql.execute(
            f"update complaints set {names}, revision = revision + 1 where id = ? and revision = ?",
            [*values.values(), number, revision],
        )
        return done.rowcount == 1


def add_complaint_change(store: Store, number: int, values: Mapping[str, Any]) -> int:
    """Append to a complaint's history: actor, role, what, before, after, reason; returns the entry's number."""
    before, after = packed(values["before"]), packed(values["after"])
    with store.writing():
        row = {**values, "complaint": number, "at": now(), "before": before, "after": after}
        return int(store.insert("complaint_changes", row).lastrowid or 0)


def complaint_changes(store: Store, number: int) -> Iterator[Row]:
    """A complaint's history, oldest first; `before` and `after` as JSON text."""
    return store.all("select * from complaint_changes where complaint = ? order by id", [number])


def find_complaints(store: Store, asked: Asked, *, limit: int = -1) -> list[Row]:
    """Unanswered ones first, by their last day; then the others, newest first. `repeats` counts related ones."""
    where, values = _where(asked)
    rows = store.all(
        f"select c.*, (select count(*) from ({_REPEATS})) as repeats,"
        " (select count(*) from complaint_calls where complaint = c.id) as calls"
        f" from (select * from complaints where {where} order by not {_OPEN},"
        f" case when {_OPEN} then due_on end, received_at desc, id desc limit ?) c",
        [*values, limit],
    )
    return list(rows)


def count_complaints(store: Store, asked: Asked) -> int:
    """How many complaints there are of a kind."""
    where, values = _where(asked)
    row = store.one(f"select count(*) as n from complaints where {where}", values)
    return 0 if row is None else int(row["n"])


def tally_complaints(store: Store, asked: Asked, *, by: By | None, today: date) -> list[Row]:
    """Counts by a column (one row under `key` null where `by` is None), most complaints first.

    n, open, overdue, late (answered after their day), decided, upheld, partial, repeats (of an earlier one by the
    same debtor), linked (with a call), flagged (a linked call holds a finding), founded_linked, founded_flagged.
    """
    where, values = _where(asked)
    key = by or "null"
    founded = "outcome in ('upheld', 'partial')"
    rows = store.all(
        f"with one as (select {key} as key, status, due_on, late, outcome, id,"
        " exists (select 1 from complaint_calls where complaint = c.id) as linked,"
        " exists (select 1 from complaint_calls join findings using (call_id)"
        f" where complaint = c.id and {_OF_THE_AGENT}) as flagged,"
        " exists (select 1 from complaints e where e.debtor_id = c.debtor_id and e.id <> c.id"
        "  and e.received_at < c.received_at) as repeated"
        f" from complaints c where {where})"
        f" select key, count(*) as n, sum({_OPEN}) as open, sum({_OPEN} and due_on < ?) as overdue, sum(late) as late,"
        " sum(outcome is not null) as decided, sum(outcome is 'upheld') as upheld,"
        " sum(outcome is 'partial') as partial, sum(repeated) as repeats, sum(linked) as linked,"
        f" sum(flagged) as flagged, coalesce(sum(linked and {founded}), 0) as founded_linked,"
        f" coalesce(sum(flagged and {founded}), 0) as founded_flagged"
        " from one group by key order by n desc, key",
        [*values, today.isoformat()],
    )
    return list(rows)


def related_complaints(store: Store, number: int) -> list[Row]:
    """Other complaints of the same debtor or, where a debtor is not known, the same name; newest first."""
    rows = store.all(
        f"select r.* from complaints c join complaints r on r.id in ({_REPEATS}) where c.id = ?"
        " order by r.received_at desc, r.id desc",
        [number],
    )
    return list(rows)


# linked calls


def link_call(store: Store, number: int, call_id: str, *, by: str) -> bool:
    """Link a call; False where it was linked already."""
    row = {"complaint": number, "call_id": call_id, "linked_at": now(), "linked_by": by}
    with store.writing():
        known = "select 1 as known from complaint_calls where complaint = ? and call_id = ?"
        if store.one(known, [number, call_id]):
            return False
        store.insert("complaint_calls", row)
        return True


def unlink_call(store: Store, number: int, call_id: str) -> bool:
    """Take a link away; False where there was none."""
    with store.writing():
        done = store.sql.execute("delete from complaint_calls where complaint = ? and call_id = ?", [number, call_id])
        return done.rowcount == 1


def linked_calls(store: Store, number: int) -> list[Row]:
    """Calls linked to a complaint, oldest link first; what the call record says is null where it is gone."""
    rows = store.all(
        "select call_id, linked_at, linked_by, recording, started_at, agent_id, agent_name, team, product, debtor_id,"
        " case_id, score, recordings.duration_ms from complaint_calls left join calls using (call_id)"
        " left join recordings on recordings.id = calls.recording left join scorecards using (call_id)"
        " where complaint = ? order by linked_at, call_id",
        [number],
    )
    return list(rows)


def calls_near(store: Store, column: CallColumn, value: str, *, since: date, until: date) -> list[Row]:
    """At most `MOST_CALLS` calls of a debtor, a case or a collector between two local days, newest first."""
    rows = store.all(
        "select calls.call_id, calls.recording, started_at, agent_id, agent_name, team, product, debtor_id, case_id,"
        f" score, recordings.duration_ms from calls indexed by {_INDEX[column]}"
        " left join recordings on recordings.id = calls.recording left join scorecards using (call_id)"
        f" where {column} = ? and started_at >= ? and started_at < ? order by started_at desc limit {MOST_CALLS}",
        [value, since.isoformat(), f"{until.isoformat()}~"],  # "~" comes after every "T12:…"
    )
    return list(rows)


_INDEX = {"debtor_id": "calls_debtor_id", "case_id": "calls_case_id", "agent_id": "idx_calls_agent_id_started_at"}


def findings_of_calls(store: Store, call_ids: Sequence[str]) -> list[Row]:
    """What the rules found against the agent in some calls: a row for each call and rule."""
    rows = store.all(
        "select call_id, rule_id, category, severity, min(result) as result, count(*) as places from findings"
        f" where {_OF_THE_AGENT} and call_id in ({', '.join('?' * len(call_ids))}) group by call_id, rule_id",
        list(call_ids),
    )
    return list(rows)


def newest_call_of(store: Store, column: CallColumn, value: str) -> Row:
    """Team and product as the newest call of a debtor, case or collector has them; empty where there is none."""
    row = store.one(
        f"select team, product from calls indexed by {_INDEX[column]} where {column} = ?"
        " order by started_at desc limit 1",
        [value],
    )
    return row or {}


def _where(asked: Asked) -> tuple[str, list[object]]:
    exact = ("team", "product", "agent_id", "channel", "category", "cause", "outcome")
    clauses = [(f"{name} = ?", [getattr(asked, name)]) for name in exact if getattr(asked, name) is not None]
    if asked.since:
        clauses.append(("received_on >= ?", [asked.since.isoformat()]))
    if asked.until:
        clauses.append(("received_on <= ?", [asked.until.isoformat()]))
    if asked.statuses:
        clauses.append((f"status in ({', '.join('?' * len(asked.statuses))})", list(asked.statuses)))
    if asked.due_by:
        clauses.append((f"{_OPEN} and due_on <= ?", [asked.due_by.isoformat()]))
    if asked.words.strip():
        columns = ("text", "complainant", "debtor_id", "case_id", "agent_id", "answer")
        joined = " || ' ' || ".join(f"coalesce({name}, '')" for name in columns)
        clauses.append((f"(cast(id as text) = ? or instr({joined}, ?) > 0)", [asked.words.strip()] * 2))
    return " and ".join(clause for clause, _ in clauses) or "true", [v for _, values in clauses for v in values]
