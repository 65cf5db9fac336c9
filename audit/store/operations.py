"""Signs of life of runs, and the recordings that wait for the worker."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from audit.errors import AuditError
from audit.remote import spelled
from audit.store.calls import Store
from audit.store.connection import now

# What became of each: judged since, failed once more than when it was asked for, or still to be done.
_WORK = (
    "select work.*, failures.reason, coalesce(failures.tries, 0) > work.tries as failed,"
    " (select call_id from calls join scorecards using (call_id) where calls.path = work.path limit 1) as call_id,"
    " failures.path is not null as listed from work left join failures on failures.path = work.path"
)
_DONE = "(call_id is not null and (kind = 'upload' or not listed))"

SIGN_SECONDS = 5.0
SIGNED = ("total", "done", "skipped", "failed", "heard_ms", "bytes", "total_bytes")


def sign_run(store: Store, run: int, counts: Mapping[str, int]) -> None:
    """Note how far a run is, by all of SIGNED; what runs does so every SIGN_SECONDS."""
    with store.writing():
        store.upsert("run_signs", "run", {"run": run, "at": now(), **counts})


@contextmanager
def broken_off(store: Store, run: int) -> Iterator[None]:
    """A run that ends in an exception here was interrupted: only one that was killed stays `running`."""
    try:
        yield
    except BaseException:
        with contextlib.suppress(AuditError), store.writing():
            store.sql.execute("update runs set status = 'interrupted', finished_at = ? where id = ?", [now(), run])
        raise


def signs(store: Store, runs: Iterable[int]) -> dict[int, dict[str, Any]]:
    """Run → its last sign, for those that ever gave one."""
    found = ((run, store.one("select * from run_signs where run = ?", [run])) for run in runs)
    return {run: row for run, row in found if row is not None}


def ask_for(store: Store, path: Path, *, kind: str, name: str, by: str) -> None:
    """Put a recording on the list; one that stands there already is asked for anew."""
    failed = store.one("select tries from failures where path = ?", [spelled(path)])
    row = {"kind": kind, "name": name, "by": by, "at": now(), "tries": 0 if failed is None else failed["tries"]}
    with store.writing():
        store.upsert("work", "path", {"path": spelled(path), **row})


def work_rows(store: Store, *, limit: int) -> list[dict[str, Any]]:
    """The newest first, each with `done`, `failed`, `reason` and the `call_id` it became."""
    sql = f"select *, {_DONE} as done from ({_WORK}) order by at desc, path limit ?"
    return list(store.all(sql, [limit]))


def waiting(store: Store, *, limit: int) -> list[Path]:
    """Recordings that are neither judged nor failed since they were asked for, oldest first."""
    sql = f"select path from ({_WORK}) where not {_DONE} and not failed order by at, path limit ?"
    return [Path(row["path"]) for row in store.all(sql, [limit])]


def drop_work(store: Store, paths: Iterable[Path]) -> None:
    """Take recordings off the list."""
    with store.writing():
        store.sql.executemany("delete from work where path = ?", [[spelled(path)] for path in paths])


def call_of_recording(store: Store, recording: str) -> str | None:
    """A judged call with these bytes (SHA-256)."""
    row = store.one(
        "select call_id from calls join scorecards using (call_id) where recording = ? limit 1", [recording]
    )
    return None if row is None else str(row["call_id"])


def totals(store: Store) -> tuple[int, int]:
    """Judged calls, and their milliseconds of sound."""
    row = store.one("select coalesce(sum(calls), 0) as calls, coalesce(sum(ms), 0) as ms from hour_days")
    return (0, 0) if row is None else (row["calls"], row["ms"])
