"""Appeals of collectors against confirmed findings: one per finding, decided once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from enum import StrEnum
from typing import Any

from audit.store.connection import Connection, now
from audit.store.queue import Item, State


class Decision(StrEnum):
    """What became of an appeal: the finding stands, or it is taken back."""

    UPHELD = "upheld"
    OVERTURNED = "overturned"


@dataclass(frozen=True, slots=True, kw_only=True)
class Appeal:
    """One appeal against the item `key`; `before` is the item's state then. Times are ISO in UTC."""

    id: int
    key: str
    call_id: str
    agent_id: str
    by: str
    at: str
    text: str
    before: State
    decision: Decision | None
    decided_by: str | None
    decided_at: str | None
    answer: str | None


def add_appeal(store: Connection, against: Item, *, by: str, text: str) -> int:
    """Keep an appeal; returns its id. A second one against the same item is refused by the store."""
    row = {
        "key": against.key,
        "call_id": against.call_id,
        "agent_id": against.agent_id,
        "by": by,
        "at": now(),
        "text": text,
        "before": against.state.value,
    }
    return int(store.insert("appeals", row).lastrowid or 0)


def decide(store: Connection, number: int, *, decision: Decision, by: str, answer: str) -> None:
    """Keep what was decided."""
    store.sql.execute(
        "update appeals set decision = ?, decided_by = ?, decided_at = ?, answer = ? where id = ? and decision is null",
        [decision.value, by, now(), answer, number],
    )


def appeal(store: Connection, number: int) -> Appeal | None:
    """One appeal by its number."""
    row = store.one("select * from appeals where id = ?", [number])
    return None if row is None else _appeal(row)


def appeal_against(store: Connection, key: str) -> Appeal | None:
    """The appeal against an item, if there is one."""
    row = store.one("select * from appeals where key = ?", [key])
    return None if row is None else _appeal(row)


def open_appeals(store: Connection) -> list[Appeal]:
    """Appeals that wait for a decision, oldest first."""
    return [_appeal(row) for row in store.all("select * from appeals where decision is null order by id")]


def decided_appeals(store: Connection, *, limit: int = 100) -> list[Appeal]:
    """Appeals that are over, newest first."""
    rows = store.all("select * from appeals where decision is not null order by id desc limit ?", [limit])
    return [_appeal(row) for row in rows]


def appeals_of(store: Connection, agent_id: str) -> list[Appeal]:
    """A collector's appeals, newest first."""
    return [_appeal(row) for row in store.all("select * from appeals where agent_id = ? order by id desc", [agent_id])]


def _appeal(row: Mapping[str, Any]) -> Appeal:
    values = {f.name: row[f.name] for f in fields(Appeal)}
    decision = None if row["decision"] is None else Decision(row["decision"])
    return Appeal(**{**values, "before": State(row["before"]), "decision": decision})
