"""Files at addresses that `watch` has given out, with the marks that they had: a restart does not fetch them again."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from audit.store.connection import Connection


def arrived(store: Connection) -> dict[Path, str]:
    """All of them, by address."""
    return {Path(row["path"]): row["mark"] for row in store.all("select path, mark from arrived")}


def note_arrived(store: Connection, given: Mapping[Path, str]) -> None:
    """Remember these, as they are now."""
    with store.writing():
        store.sql.executemany(
            "insert into arrived (path, mark) values (?, ?) on conflict (path) do update set mark = excluded.mark",
            [(str(path), mark) for path, mark in given.items()],
        )
