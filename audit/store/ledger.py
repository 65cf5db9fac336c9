"""Rows of the ledger: appended, read in order, never changed (triggers in the schema refuse it)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from audit.store.calls import Store


def append_entry(store: Store, row: Mapping[str, Any]) -> None:
    """Add one entry; `seq` must be the next number."""
    with store.writing():
        store.insert("ledger", row)


def last_entry(store: Store) -> dict[str, Any] | None:
    """The newest entry as its row, or None."""
    return store.one("select * from ledger order by seq desc limit 1")


def entries(store: Store) -> Iterator[dict[str, Any]]:
    """All rows in order of number."""
    return store.all("select * from ledger order by seq")


def newest_entries(
    store: Store, *, kind: str | None = None, subject: str | None = None, limit: int = 100
) -> list[dict[str, Any]]:
    """The newest rows first, of one kind or subject where given."""
    asked = {name: value for name, value in (("kind", kind), ("subject", subject)) if value is not None}
    where = " and ".join(f"{name} = ?" for name in asked) or "1"
    return list(store.all(f"select * from ledger where {where} order by seq desc limit ?", [*asked.values(), limit]))


def highest_number(store: Store) -> int:
    """The highest number that was ever given, which SQLite keeps apart from the rows."""
    row = store.one("select seq from sqlite_sequence where name = 'ledger'")
    return 0 if row is None else int(row["seq"])
