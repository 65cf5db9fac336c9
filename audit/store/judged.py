"""Which calls have been judged, for those that go over all of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from audit.store import queue
from audit.store.connection import Connection
from audit.store.keys import finding_keys

if TYPE_CHECKING:
    from audit.store.calls import StoredCall
    from transcribe.model import EngineInfo


@dataclass(frozen=True, slots=True)
class Standing:
    """By which run and settings a call's judgement stands, and of which recording it speaks."""

    run: int
    settings: str
    recording: str


def judged_calls(store: Connection, *, newest: int | None = None) -> list[str]:
    """Ids of judged calls, the newest first; all of them, or so many."""
    rows = store.all(
        "select call_id from calls join scorecards using (call_id) order by started_at desc limit ?",
        [-1 if newest is None else newest],
    )
    return [row["call_id"] for row in rows]


def standing(store: Connection, call_id: str) -> Standing | None:
    """None where the call is not judged."""
    row = store.one(
        "select run, settings, recording from scorecards join calls using (call_id) where call_id = ?", [call_id]
    )
    return None if row is None else Standing(row["run"], row["settings"], row["recording"])


def confirm(store: Connection, settings: Sequence[tuple[str, str]], *, engine: EngineInfo, run: int) -> None:
    """A run found these calls as they stand; (call id, settings digest) each. Within the caller's transaction."""
    store.sql.executemany(
        "update scorecards set run = ?, settings = ? where call_id = ?",
        [(run, digest, call_id) for call_id, digest in settings],
    )
    store.sql.execute(
        "update runs set engine = ?, engine_version = ?, model = ?, model_sha256 = ?, calls_done = calls_done + ?"
        " where id = ?",
        [engine.name, engine.version, engine.model, engine.model_sha256, len(settings), run],
    )


def in_step(store: Connection, call: StoredCall) -> bool:
    """Whether the review queue holds what the machine finds in a call, and no more."""
    findings = call.judgement.findings
    keys = finding_keys(call.recording, findings)
    wanted = {key for key, f in zip(keys, findings, strict=True) if queue.belongs_here(f.category)}
    rows = list(store.all("select key, call_id, machine from items where recording = ?", [call.recording]))
    present = {row["key"] for row in rows if row["machine"] != queue.Machine.GONE}
    own = (row for row in rows if row["call_id"] == call.record.call_id)
    return wanted <= present and {row["key"] for row in own if row["machine"] == queue.Machine.PRESENT} <= wanted


def failed_files(store: Connection) -> int:
    """How many files could not be judged and have not been since."""
    row = store.one("select count(*) as n from failures")
    return 0 if row is None else int(row["n"])
