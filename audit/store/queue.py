"""The review queue: what the machine found (or people added), each with where its review stands.

The writer of judged calls keeps it (`keep`, `drop`); `audit/review.py` changes states. A page asks `next_open`.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from enum import StrEnum
from typing import Any

from audit.calls import CallRecord
from audit.score import is_signal
from audit.store.connection import Connection, packed
from audit.store.filters import EVERY_CALL, Filter, where
from audit.store.keys import plain_words
from rules.model import SELF_HARM, Finding, Result, Severity


class State(StrEnum):
    """Where the review of an item stands. SECOND: one reviewer has spoken, another is needed."""

    WAITING = "waiting"
    SECOND = "second"
    CONFIRMED = "confirmed"
    PARTIAL = "partial"
    DISMISSED = "dismissed"
    APPEALED = "appealed"


class Machine(StrEnum):
    """What the machine says of an item today: finds it, finds it no longer, never found it (people added it)."""

    PRESENT = "present"
    GONE = "gone"
    ADDED = "added"


OPEN = (State.WAITING, State.SECOND)
COUNTED = (State.CONFIRMED, State.PARTIAL, State.APPEALED)
"""Counts against a person (a customer's signal never does). What is under appeal counts until it is overturned."""
FOLLOWED_UP = SELF_HARM
"""The one signal that people must look at."""

_STILL_OPEN = "state in ('waiting', 'second')"  # word for word as the partial indexes have it
_COLUMNS = (
    "key", "recording", "call_id", "rule_id", "category", "severity", "rank", "result", "confidence", "words", "at",
    "day", "hour", "team", "product", "agent_id", "debtor_id", "state", "machine",
)  # fmt: skip
FROM_CALL = ("started_at", "team", "product", "agent_id", "debtor_id")
"""Columns of a call that its items repeat."""
_FROM_MACHINE = _COLUMNS[2:17]  # what a new judgement of the call may change


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One row of the queue. Texts are empty where unknown; `at` is the call's ISO time, `hour` -1 without one.

    `words` are the flagged words alone (audit.store.keys.plain_words). `judged_by` names whose verdicts stand;
    `stamp` changes with every verdict: hand back what was shown, so that nobody overwrites another's work unseen.
    """

    key: str
    recording: str
    call_id: str
    rule_id: str
    category: str
    severity: Severity
    rank: int
    result: Result
    confidence: float
    words: str
    at: str
    day: str
    hour: int
    team: str
    product: str
    agent_id: str
    debtor_id: str
    state: State
    machine: Machine
    judged_by: tuple[str, ...]
    stamp: int

    @property
    def counts(self) -> bool:
        """Whether it counts against the collector."""
        return self.state in COUNTED and not is_signal(self.category)


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Which items of the queue; None asks nothing."""

    calls: Filter = EVERY_CALL
    rule_id: str | None = None
    category: str | None = None
    severity: Severity | None = None
    result: Result | None = None


EVERYTHING = Wanted()


@dataclass(frozen=True, slots=True, kw_only=True)
class Asker:
    """Who asks for work and when (ISO in UTC, as `now()` writes it); `put_off` are keys to leave out."""

    name: str
    at: str
    put_off: tuple[str, ...] = ()


def item(store: Connection, key: str) -> Item | None:
    """One item by its key."""
    row = store.one("select * from items where key = ?", [key])
    return None if row is None else _item(row)


def items_of_call(store: Connection, call_id: str) -> list[Item]:
    """All items of a call, judged or not, gravest first."""
    rows = store.all(
        "select items.* from calls join items using (recording, call_id) where call_id = ?"
        " order by rank desc, confidence desc, key",
        [call_id],
    )
    return [_item(row) for row in rows]


def next_open(store: Connection, wanted: Wanted, asker: Asker, *, limit: int = 1) -> list[Item]:
    """Open items in the order of work: severity, confidence, age of the call.

    Left out: what the asker put off, what someone else holds, and second reviews of what the asker judged. Where
    all that is left is held by others, that is given.
    """
    free = _open_items(store, wanted, asker, limit=limit, claimed=False)
    return free or _open_items(store, wanted, asker, limit=limit, claimed=True)


def equal_items(store: Connection, like: Item, *, limit: int) -> list[Item]:
    """Other waiting items with the same words under the same rule; none where no words were flagged."""
    if not like.words:
        return []
    rows = store.all(
        f"select * from items indexed by items_words where {_STILL_OPEN} and words <> '' and words = ?"
        " and rule_id = ? and state = 'waiting' and key <> ? limit ?",
        [like.words, like.rule_id, like.key, limit],
    )
    return [_item(row) for row in rows]


def judged_items(
    store: Connection, states: Iterable[State], which: Filter = EVERY_CALL, *, limit: int = 200
) -> list[Item]:
    """Items whose review is over (or under appeal), newest calls first."""
    clause, values = where(which, day="day")
    wanted = ", ".join(f"'{state.value}'" for state in states)
    rows = store.all(
        f"select * from items where state in ({wanted}) and state not in ('waiting', 'second') and {clause}"
        " order by at desc, key limit ?",
        [*values, limit],
    )
    return [_item(row) for row in rows]


def claim(store: Connection, key: str, *, by: str, at: str, until: str) -> str | None:
    """Note that `by` looks at an item; returns who else holds it, then nothing is changed. Times in UTC."""
    with store.writing():
        holder = store.one("select by from claims where key = ? and by <> ? and until > ?", [key, by, at])
        if holder is None:
            store.sql.execute("delete from claims where by = ? or until <= ?", [by, at])
            store.upsert("claims", "key", {"key": key, "by": by, "until": until})
        return None if holder is None else str(holder["by"])


# for the writers


def belongs_here(category: str) -> bool:
    """Whether people judge findings of this category: all but what customers say, self-harm excepted."""
    return category == FOLLOWED_UP or not is_signal(category)


def keep(store: Connection, record: CallRecord, recording: str, found: Sequence[tuple[str, Finding]]) -> None:
    """Bring a call's items up to its new judgement; `found` are keys and findings.

    What is no longer found goes, unless somebody has judged it. An item of the same recording under another call's
    id stays with that call while there is one.
    """
    known = {row["key"]: row for row in store.all("select * from items where recording = ?", [recording])}
    new = {key: _row(record, recording, key, f) for key, f in found if belongs_here(f.category)}
    others = _others(store, record.call_id, recording, known.values())
    fresh = [row for key, row in new.items() if key not in known]
    if fresh:
        columns = ", ".join(_COLUMNS)
        store.sql.executemany(
            f"insert into items ({columns}) values ({', '.join('?' * len(_COLUMNS))})",
            [[row[name] for name in _COLUMNS] for row in fresh],
        )
    for key, old in known.items():
        if old["call_id"] in others:
            continue
        if key in new:
            _update(store, old, new[key])
        elif old["machine"] == Machine.PRESENT:
            _lose(store, old)


def move(store: Connection, record: CallRecord) -> None:
    """The call list says something else of a call than before: its items follow."""
    row = place(record)
    changes = ", ".join(f"{name} = ?" for name in row)
    store.sql.execute(
        f"update items set {changes} where call_id = ? and recording ="
        " (select recording from calls where calls.call_id = items.call_id)",
        [*row.values(), record.call_id],
    )


def drop(store: Connection, call_id: str, *, but: str | None = None) -> None:
    """A call goes, or gets a recording other than `but`: so do its items, but for those that people judged.

    The next call with the recording takes these.
    """
    call = store.one("select recording from calls where call_id = ?", [call_id])
    if call is None or call["recording"] in (None, but):
        return
    mine = "recording = ? and call_id = ?"
    values = [call["recording"], call_id]
    store.sql.execute(f"delete from items where {mine} and state = 'waiting'", values)
    store.sql.execute(f"update items set machine = 'gone' where {mine} and machine = 'present'", values)


def set_state(store: Connection, key: str, *, state: State, judged_by: Sequence[str], stamp: int) -> None:
    """Where the review stands after a verdict; the caller keeps the tallies and the history."""
    store.sql.execute(
        "update items set state = ?, judged_by = ?, stamp = ? where key = ?",
        [state.value, packed(list(judged_by)), stamp, key],
    )


def add_item(store: Connection, record: CallRecord, recording: str, key: str, finding: Finding) -> None:
    """An item that people found and the machine missed."""
    store.insert("items", {**_row(record, recording, key, finding), "machine": Machine.ADDED.value})


def remove_item(store: Connection, key: str) -> None:
    """An item that neither the machine nor any person stands by; its history stays."""
    store.sql.execute("delete from items where key = ?", [key])


# below: SQL only


def _open_items(store: Connection, wanted: Wanted, asker: Asker, *, limit: int, claimed: bool) -> list[Item]:
    clause, values = _wanted(wanted)
    index = "items_agent" if wanted.calls.agent_id else "items_rule" if wanted.rule_id else "items_order"
    put_off = f" and key not in ({', '.join('?' * len(asker.put_off))})"
    held = "" if claimed else " and key not in (select key from claims where until > ? and by <> ?)"
    rows = store.all(
        f"select * from items indexed by {index} where {_STILL_OPEN} and {clause}{put_off}{held}"
        " and not (state = 'second' and exists (select 1 from json_each(judged_by) where value = ?))"
        " order by rank desc, confidence desc, at, key limit ?",
        [*values, *asker.put_off, *([] if claimed else [asker.at, asker.name]), asker.name, limit],
    )
    return [_item(row) for row in rows]


def _wanted(wanted: Wanted) -> tuple[str, list[object]]:
    clause, values = where(wanted.calls, day="day")
    asked = {
        "rule_id": wanted.rule_id,
        "category": wanted.category,
        "rank": None if wanted.severity is None else wanted.severity.rank,
        "result": None if wanted.result is None else wanted.result.value,
    }
    used = {name: value for name, value in asked.items() if value is not None}
    return " and ".join([clause, *(f"{name} = ?" for name in used)]), [*values, *used.values()]


def _others(store: Connection, call_id: str, recording: str, known: Iterable[Mapping[str, Any]]) -> set[str]:
    """Other calls that still have this recording and own some of these items."""
    owners = {row["call_id"] for row in known} - {call_id}
    sql = "select 1 as found from calls where call_id = ? and recording = ?"
    return {owner for owner in owners if store.one(sql, [owner, recording])}


def _update(store: Connection, old: Mapping[str, Any], new: Mapping[str, Any]) -> None:
    if any(old[name] != new[name] for name in (*_FROM_MACHINE, "machine")):
        changes = ", ".join(f"{name} = ?" for name in (*_FROM_MACHINE, "machine"))
        store.sql.execute(
            f"update items set {changes} where key = ?",
            [*(new[name] for name in (*_FROM_MACHINE, "machine")), old["key"]],
        )


def _lose(store: Connection, old: Mapping[str, Any]) -> None:
    if old["state"] == State.WAITING:
        remove_item(store, old["key"])
    else:
        store.sql.execute("update items set machine = 'gone' where key = ?", [old["key"]])


def _row(record: CallRecord, recording: str, key: str, finding: Finding) -> dict[str, Any]:
    return {
        "key": key,
        "recording": recording,
        "call_id": record.call_id,
        "rule_id": finding.rule_id,
        "category": finding.category,
        "severity": finding.severity.value,
        "rank": finding.severity.rank,
        "result": finding.result.value,
        "confidence": float(finding.confidence),
        "words": plain_words(finding.quote),
        **place(record),
        "state": State.WAITING.value,
        "machine": Machine.PRESENT.value,
    }


def place(record: CallRecord) -> dict[str, Any]:
    """What an item takes from its call: when, who, about whom."""
    at = "" if record.started_at is None else record.started_at.isoformat()
    return {
        "at": at,
        "day": at[:10],
        "hour": -1 if record.started_at is None else record.started_at.hour,
        "team": record.team or "",
        "product": record.product or "",
        "agent_id": record.agent_id or "",
        "debtor_id": record.debtor_id or "",
    }


def _item(row: Mapping[str, Any]) -> Item:
    values = {f.name: row[f.name] for f in fields(Item)}
    return Item(**{
        **values,
        "severity": Severity(row["severity"]),
        "result": Result(row["result"]),
        "state": State(row["state"]),
        "machine": Machine(row["machine"]),
        "judged_by": tuple(json.loads(row["judged_by"])),
    })  # fmt: skip
