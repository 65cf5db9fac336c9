"""What a collector's profile shows beside the counts: places that people confirmed, calls without any fault."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from audit.store.filters import Filter, where
from audit.store.queue import COUNTED, FOLLOWED_UP, OPEN

if TYPE_CHECKING:
    from audit.store.connection import Connection

_COUNTED = ", ".join(f"'{state}'" for state in COUNTED)
_OPEN = ", ".join(f"'{state}'" for state in OPEN)


def confirmed_places(store: Connection, which: Filter, *, rule_id: str, limit: int) -> list[dict[str, Any]]:
    """Places that people confirmed against a collector's calls, newest calls first.

    Columns: key, call_id, recording, at, path, duration_ms.
    """
    clause, values = where(which, day="i.day")
    rows = store.all(
        "select i.key, i.call_id, i.recording, i.at, calls.path, recordings.duration_ms from items i"
        " join calls using (call_id) join recordings on recordings.id = i.recording"
        f" where i.state in ({_COUNTED}) and i.rule_id = ? and {_of('i', clause)} order by i.at desc, i.key limit ?",
        [rule_id, *values, limit],
    )
    return list(rows)


def faultless_calls(store: Connection, which: Filter, *, limit: int) -> list[dict[str, Any]]:
    """Calls with full score in which neither machine nor people find or suspect anything, longest first.

    Columns: call_id, recording, path, duration_ms, started_at.
    """
    clause, values = where(which, day="substr(started_at, 1, 10)")
    rows = store.all(
        "select call_id, recording, calls.path, recordings.duration_ms, started_at from calls"
        " join scorecards using (call_id) join recordings on recordings.id = calls.recording"
        f" where score = 100 and {clause} and not exists (select 1 from items where items.call_id = calls.call_id"
        f"  and state in ({_OPEN}, {_COUNTED}) and category <> '{FOLLOWED_UP}')"
        " order by recordings.duration_ms desc, call_id limit ?",
        [*values, limit],
    )
    return list(rows)


def _of(table: str, clause: str) -> str:
    """The filter's columns, of one table of several."""
    for column in ("team", "agent_id", "product"):
        clause = clause.replace(f"{column} = ?", f"{table}.{column} = ?")
    return clause


def rule_titles(store: Connection) -> Mapping[str, tuple[str, str]]:
    """Rule id → (Chinese, English) title, as it read last."""
    rows = store.all("select rule_id, title, title_en from rules order by version")
    return {row["rule_id"]: (row["title"], row["title_en"]) for row in rows}
