"""How batches go: what runs now, what failed, what was handed in for the worker."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from pathlib import Path

from audit.access import Action, Actor, require
from audit.ledger import Kind, record
from audit.quarantine import put_back
from audit.remote import address
from audit.store import Failure, Run, Store
from audit.store import operations as rows

SILENT_AFTER = timedelta(seconds=60)
"""A batch gives a sign of life every few seconds; one that has not for so long was killed."""


class State(StrEnum):
    """What became of a run."""

    RUNNING = "running"
    FINISHED = "finished"
    INTERRUPTED = "interrupted"
    KILLED = "killed"


@dataclass(frozen=True, slots=True, kw_only=True)
class RunState:
    """A run and how far it is. `heard_ms` is the sound recognised in it, `share` of all bytes that are over (0 to 1).

    `total` is 0 for runs that gave no sign yet, and for those of earlier versions. A re-audit hears nothing and counts
    its calls instead of bytes.
    """

    run: Run
    state: State
    seen_at: datetime
    total: int
    skipped: int
    heard_ms: int
    share: float

    @property
    def seconds(self) -> float:
        """From the start to the end, or to the last sign of life."""
        return ((self.run.finished_at or self.seen_at) - self.run.started_at).total_seconds()

    @property
    def seconds_left(self) -> float | None:
        """How long it goes on at this speed; None where nobody can tell."""
        if self.state is not State.RUNNING or self.share < 0.01:
            return None
        return self.seconds * (1 - self.share) / self.share


class TaskState(StrEnum):
    """What became of a recording that somebody handed in or wanted tried again."""

    WAITING = "waiting"
    DONE = "done"
    FAILED = "failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """One such recording. `kind` is upload or retry; `name` as the person's file was called."""

    path: Path
    name: str
    kind: str
    by: str
    at: datetime
    state: TaskState
    reason: str | None
    call_id: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Size:
    """How much there is: judged calls, hours of sound, bytes of the store with its log."""

    calls: int
    hours: float
    bytes: int


def runs(store: Store, *, actor: Actor, now: datetime, limit: int = 30) -> list[RunState]:
    """The newest runs first."""
    require(actor, Action.SEE_OPERATIONS)
    newest = sorted(store.runs().values(), key=lambda run: run.id, reverse=True)[:limit]
    signs = rows.signs(store, [run.id for run in newest])
    return [_state(run, signs.get(run.id), now) for run in newest]


def failures(store: Store, *, actor: Actor) -> list[Failure]:
    """Recordings, and rows of lists, that could not be judged and have not been since; the newest first."""
    require(actor, Action.SEE_OPERATIONS)
    return sorted(store.failures(), key=lambda failure: failure.failed_at, reverse=True)


def tasks(store: Store, *, actor: Actor, limit: int = 200) -> list[Task]:
    """What was handed in or asked for again, the newest first."""
    require(actor, Action.SEE_OPERATIONS)
    return [
        Task(
            path=Path(row["path"]),
            name=row["name"],
            kind=row["kind"],
            by=row["by"],
            at=datetime.fromisoformat(row["at"]),
            state=_task_state(row["done"], row["failed"]),
            reason=row["reason"] if row["failed"] else None,
            call_id=row["call_id"] if row["done"] else None,
        )
        for row in rows.work_rows(store, limit=limit)
    ]


def retry(store: Store, paths: Sequence[Path], *, actor: Actor) -> list[Path]:
    """Have failed recordings tried again by the worker, those in quarantine where they came from; returns those that
    are there.

    Others can't be tried: a row of a call list wants the list corrected, a file that is gone must come back first.
    """
    require(actor, Action.OPERATE)
    back = (path if address(path) else put_back(store, path) for path in paths)
    there = [path for path in back if path is not None and (address(path) or path.is_file())]
    with store.writing():
        for path in there:
            rows.ask_for(store, path, kind="retry", name=path.name, by=actor.name)
        if there:
            record(store, actor=actor, kind=Kind.RETRY, subject="failures", data={"recordings": len(there)})
    return there


def size(store: Store, *, actor: Actor) -> Size:
    """How much the store holds."""
    require(actor, Action.SEE_OPERATIONS)
    calls, ms = rows.totals(store)
    files = [store.path, store.path.with_name(f"{store.path.name}-wal")]
    return Size(calls=calls, hours=ms / 3_600_000, bytes=sum(f.stat().st_size for f in files if f.exists()))


def _state(run: Run, sign: dict[str, int | str] | None, now: datetime) -> RunState:
    seen_at = run.started_at if sign is None else datetime.fromisoformat(str(sign["at"]))
    silent = run.status == "running" and now - seen_at > SILENT_AFTER
    counts = {name: int((sign or {}).get(name, 0)) for name in rows.SIGNED}
    return RunState(
        run=run,
        state=State.KILLED if silent else State(run.status),
        seen_at=seen_at,
        total=counts["total"],
        skipped=counts["skipped"],
        heard_ms=counts["heard_ms"],
        share=counts["bytes"] / counts["total_bytes"] if counts["total_bytes"] else _counted(counts),
    )


def _counted(counts: Mapping[str, int]) -> float:
    return counts["done"] / counts["total"] if counts["total"] else 0.0


def _task_state(done: int, failed: int) -> TaskState:
    if done:
        return TaskState.DONE
    return TaskState.FAILED if failed else TaskState.WAITING
