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
    """Places that people confirmed against a collector's calls, newest calls first: key, call_id, recording."""
    clause, values = where(which, day="day")
    rows = store.all(
        "select key, call_id, recording from items"
        f" where state in ({_COUNTED}) and state not in ({_OPEN})"  # the second is what the index is made for
        f" and rule_id = ? and {clause} order by at desc, key limit ?",
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
        f" where score = 100 and {clause} and not exists (select 1 from items where items.recording = calls.recording"
        f"  and items.call_id = calls.call_id and state in ({_OPEN}, {_COUNTED}) and category <> '{FOLLOWED_UP}')"
        " order by recordings.duration_ms desc, call_id limit ?",
        [*values, limit],
    )
    return list(rows)


def rule_titles(store: Connection) -> Mapping[str, tuple[str, str]]:
    """Rule id → (Chinese, English) title, as it read last."""
    rows = store.all("select rule_id, title, title_en from rules order by version")
    return {row["rule_id"]: (row["title"], row["title_en"]) for row in rows}
