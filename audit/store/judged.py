"""Which calls have been judged, for those that go over all of them."""

from __future__ import annotations

from audit.store.connection import Connection


def judged_calls(store: Connection, *, newest: int | None = None) -> list[str]:
    """Ids of judged calls, the newest first; all of them, or so many."""
    rows = store.all(
        "select call_id from calls join scorecards using (call_id) order by started_at desc limit ?",
        [-1 if newest is None else newest],
    )
    return [row["call_id"] for row in rows]


def failed_files(store: Connection) -> int:
    """How many files could not be judged and have not been since."""
    row = store.one("select count(*) as n from failures")
    return 0 if row is None else int(row["n"])
