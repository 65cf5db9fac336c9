"""What people said of findings, entry by entry: nothing here is ever changed or taken out, an undo is an entry too.

A verdict stands until an undo points at it. `audit/review.py` decides what follows for the item.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from enum import StrEnum
from typing import Any

from audit.store.connection import Connection, now, packed
from audit.store.queue import State


class Kind(StrEnum):
    """What an entry says. ADD: a violation that the machine missed. UPHOLD and OVERTURN decide an appeal."""

    CONFIRM = "confirm"
    PARTIAL = "partial"
    DISMISS = "dismiss"
    ADD = "add"
    UNDO = "undo"
    APPEAL = "appeal"
    UPHOLD = "uphold"
    OVERTURN = "overturn"


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """What somebody says. `before` and `after` are states of the item; None: the item was or is not in the queue.

    `reason` is a key of the closed list for its kind, `comment` free text; `undoes` the id of the entry that an
    undo takes back; `finding` what was judged as the machine had it then, as plain values.
    """

    key: str
    recording: str
    call_id: str
    by: str
    kind: Kind
    before: State | None
    after: State | None
    reason: str | None = None
    comment: str | None = None
    undoes: int | None = None
    finding: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict(Entry):
    """An entry as it stands; `at` is ISO in UTC."""

    id: int
    at: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Comment:
    """A remark on an item; changes nothing."""

    id: int
    key: str
    call_id: str
    by: str
    at: str
    text: str


def add_verdict(store: Connection, said: Entry) -> int:
    """Append an entry; returns its id. `undoes` twice for the same entry is refused by the store."""
    row = {f.name: getattr(said, f.name) for f in fields(Entry)} | {
        "at": now(),
        "kind": said.kind.value,
        "before": said.before or "",
        "after": said.after or "",
        "finding": None if said.finding is None else packed(dict(said.finding)),
    }
    return int(store.insert("verdicts", row).lastrowid or 0)


def entry(store: Connection, number: int) -> Verdict | None:
    """One entry by its id."""
    row = store.one("select * from verdicts where id = ?", [number])
    return None if row is None else _verdict(row)


def history(store: Connection, key: str) -> list[Verdict]:
    """All entries about an item, oldest first."""
    return [_verdict(row) for row in store.all("select * from verdicts where key = ? order by id", [key])]


def standing(said: Sequence[Verdict]) -> list[Verdict]:
    """The entries that no undo has taken back, undos left out."""
    undone = {one.undoes for one in said}
    return [one for one in said if one.id not in undone and one.kind is not Kind.UNDO]


def of_call(store: Connection, recording: str) -> list[Verdict]:
    """All entries about a recording's items, oldest first."""
    rows = store.all("select * from verdicts where recording = ? order by id", [recording])
    return [_verdict(row) for row in rows]


_STANDING_VOTE = (
    "kind in ('confirm', 'partial', 'dismiss', 'add') and not exists (select 1 from verdicts u where u.undoes = v.id)"
)


def standing_of_reviewer(store: Connection, by: str, *, limit: int) -> list[Verdict]:
    """A reviewer's newest verdicts that nobody has taken back, newest first."""
    sql = f"select * from verdicts v where by = ? and {_STANDING_VOTE} order by at desc, id desc limit ?"
    return [_verdict(row) for row in store.all(sql, [by, limit])]


def judged_since(store: Connection, by: str, since: str) -> int:
    """How many items a reviewer has judged since an ISO time in UTC; what was undone does not count."""
    row = store.one(
        f"select count(*) as n from verdicts v where by = ? and at >= ? and {_STANDING_VOTE}",
        [by, since],
    )
    return 0 if row is None else int(row["n"])


def add_comment(store: Connection, *, key: str, call_id: str, by: str, text: str) -> int:
    """Keep a remark; returns its id."""
    row = {"key": key, "call_id": call_id, "by": by, "at": now(), "text": text}
    return int(store.insert("comments", row).lastrowid or 0)


def comments(store: Connection, key: str) -> list[Comment]:
    """Remarks on an item, oldest first."""
    return [Comment(**row) for row in store.all("select * from comments where key = ? order by id", [key])]


def _verdict(row: Mapping[str, Any]) -> Verdict:
    values = {f.name: row[f.name] for f in fields(Verdict)}
    return Verdict(**{
        **values,
        "kind": Kind(row["kind"]),
        "before": State(row["before"]) if row["before"] else None,
        "after": State(row["after"]) if row["after"] else None,
        "finding": None if row["finding"] is None else json.loads(row["finding"]),
    })  # fmt: skip
