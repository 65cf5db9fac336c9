"""What is worth an alert, what people were told already, and what could not be sent yet."""

from __future__ import annotations

from collections.abc import Iterable

from audit.store.connection import Connection, now


def critical_waiting(store: Connection) -> list[str]:
    """Keys of critical findings that wait for people."""
    rows = store.all("select key from items where rank = 4 and state in ('waiting', 'second')")
    return [row["key"] for row in rows]


def note_alerts(store: Connection, kind: str, keys: Iterable[str]) -> None:
    """Remember what is to be told; what was noted before stays as it is."""
    with store.writing():
        store.sql.executemany(
            "insert into alerts (key, kind, made_at, tries) values (?, ?, ?, 0) on conflict do nothing",
            [[key, kind, now()] for key in keys],
        )


def unsent(store: Connection) -> dict[str, int]:
    """How many alerts of each kind wait to be sent."""
    rows = store.all("select kind, count(*) as n from alerts where sent_at is null group by kind order by kind")
    return {row["kind"]: row["n"] for row in rows}


def settle(store: Connection, kind: str, *, sent: bool) -> None:
    """All that waited of a kind was sent, or could not be and will be tried again."""
    change = "sent_at = ?" if sent else "tries = tries + 1"
    with store.writing():
        store.sql.execute(
            f"update alerts set {change} where sent_at is null and kind = ?", [*([now()] if sent else []), kind]
        )
